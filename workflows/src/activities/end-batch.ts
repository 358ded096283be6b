import { advanceJob, findJobs, finishJob, setEndedJobState } from '@kindred/db/jobs';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import type { BatchRecommendationId } from '@kindred/domain/ids';
import { jobFolder } from '@kindred/domain/jobs';
import { partsFolder } from '../batch/write-parts.ts';
import type { BatchRow } from '../load-batch.ts';
import { type JobRef, recordJobChange } from '../record-job.ts';
import type { ActivityDeps } from './create-activities.ts';
import type { JobEndingInput } from './finish-import.ts';

/** Ends a batch and tells its watchers. Until when its file stays; null, and no file, unless it succeeded. */
export async function finishBatch(
  deps: ActivityDeps,
  input: JobRef<BatchRecommendationId> & JobEndingInput,
): Promise<number | null> {
  const { jobId: id, status, message } = input;
  const expiresAtMs = await recordJobChange(deps, input, async (tx) => {
    const job = await findBatch(tx, id);
    // Ended by an earlier try, or from outside: then the file is gone.
    if (job === undefined || job.finishedAt !== null) return { result: keptUntil(job), event: null };
    const until = status === 'SUCCEEDED' ? Date.now() + job.order.keptForMs : null;
    if (until !== null) await advanceJob(tx, { ...job, state: { ...job.state, expiresAtMs: until } });
    await finishJob(tx, { id, status, failure: status === 'FAILED' ? message : null });
    const body = { kind: 'FINISHED' as const, status, message };
    return { result: until, event: { dedupeKey: 'finished', body } };
  });
  await deps.objects.delete(expiresAtMs === null ? jobFolder(input) : partsFolder(input));
  return expiresAtMs;
}

/** Deletes the file of a batch: its time is over. */
export async function expireBatch(deps: ActivityDeps, input: JobRef<BatchRecommendationId>): Promise<void> {
  await deps.objects.delete(jobFolder(input));
  await withTenant(deps.db, input.tenantId, async (tx) => {
    const job = await findBatch(tx, input.jobId);
    if (keptUntil(job) === null || job === undefined) return;
    await setEndedJobState(tx, { id: job.id, state: { ...job.state, deletedAtMs: Date.now() } });
  });
}

async function findBatch(tx: TenantTx, id: BatchRecommendationId): Promise<BatchRow | undefined> {
  const [job] = await findJobs(tx, 'BATCH_RECOMMENDATION', [id]);
  return job as BatchRow | undefined;
}

function keptUntil(job: BatchRow | undefined): number | null {
  if (job?.status !== 'SUCCEEDED' || job.state.deletedAtMs != null) return null;
  return job.state.expiresAtMs;
}
