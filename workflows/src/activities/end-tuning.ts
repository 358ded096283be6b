import { advanceJob, findJobs, finishJob } from '@kindred/db/jobs';
import { setModelSettings, findModels } from '@kindred/db/models';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { endTrial, listTrials, stopTrials, type TrialRow } from '@kindred/db/tuning-trials';
import type { TuningId } from '@kindred/domain/ids';
import { jobFolder } from '@kindred/domain/jobs';
import type { BestTrial } from '@kindred/domain/tunings';
import { type TuningRow } from '../load-tuning.ts';
import { type JobRef, recordJobChange } from '../record-job.ts';
import type { ActivityDeps } from './create-activities.ts';
import type { JobEndingInput } from './finish-import.ts';
import type { TrialRef } from './run-trial.ts';

/** Gives a trial up that could not be tried, however often; the tuning goes on without it. */
export async function failTrial(deps: ActivityDeps, input: TrialRef & { message: string }): Promise<void> {
  const { tenantId, jobId: tuningId, trial: number, message: failure } = input;
  await withTenant(deps.db, tenantId, (tx) => endTrial(tx, { tuningId, number, status: 'FAILED', failure }));
}

/** Ends a tuning with the best trial so far, which the model takes where that was asked, and deletes its files. */
export async function finishTuning(deps: ActivityDeps, input: JobRef<TuningId> & JobEndingInput): Promise<void> {
  const { jobId: id, status, message } = input;
  await recordJobChange(deps, input, async (tx) => {
    const [job] = (await findJobs(tx, 'TUNING', [id])) as TuningRow[];
    if (job === undefined || job.finishedAt !== null) return { result: undefined, event: null };
    const found = job.status === 'RUNNING' ? await keepBest(tx, job, { mayApply: status === 'SUCCEEDED' }) : '';
    await finishJob(tx, { id, status, failure: status === 'FAILED' ? message : null });
    const body = { kind: 'FINISHED' as const, status, message: `${message}${found}` };
    return { result: undefined, event: { dedupeKey: 'finished', body } };
  });
  await deps.objects.delete(jobFolder(input));
}

/** What was found, in a sentence. */
async function keepBest(tx: TenantTx, job: TuningRow, { mayApply }: { mayApply: boolean }): Promise<string> {
  const { id, modelId, order, state, revision } = job;
  await stopTrials(tx, id);
  const trials = await listTrials(tx, { tuningId: id, first: 1_000, afterNumber: -1 });
  const best = findBest(trials);
  const applies = mayApply && order.applies && best !== null && modelId !== null;
  if (applies) {
    const [model] = await findModels(tx, [modelId]);
    await setModelSettings(tx, { modelId, settings: { ...model?.settings, ...best.settings } });
  }
  const appliedAt = applies ? Date.now() : null;
  await advanceJob(tx, { id, revision, state: { ...state, snapshotKey: null, best, appliedAt } });
  if (best === null) return ' No trial gave a result.';
  return ` The best is trial ${best.number}: validation NDCG@10 ${best.ndcgAt10.toFixed(4)}.`;
}

/** The earlier of equals: the model's own settings are the first. */
function findBest(trials: readonly TrialRow[]): BestTrial | null {
  let best: BestTrial | null = null;
  for (const { number, status, settings, curve } of trials) {
    const ndcgAt10 = Math.max(...curve);
    if (status !== 'FAILED' && curve.length > 0 && ndcgAt10 > (best?.ndcgAt10 ?? Number.NEGATIVE_INFINITY)) {
      best = { number, ndcgAt10, settings };
    }
  }
  return best;
}
