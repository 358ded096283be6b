import { finishJob, findJobs } from '@kindred/db/jobs';
import { appendWebhookEvent } from '@kindred/db/webhook-events';
import { encodeGlobalId, type ImportId } from '@kindred/domain/ids';
import { uploadKey } from '@kindred/domain/imports';
import type { JobEnding } from '@kindred/domain/jobs';
import { inWords } from '../import/import-batches.ts';
import type { ImportRow } from '../load-import.ts';
import { type JobRef, recordJobChange } from '../record-job.ts';
import type { ActivityDeps } from './create-activities.ts';

/** How a job ended. `message` is one sentence for the tenant's people; a failed job keeps it as its reason. */
export interface JobEndingInput {
  status: JobEnding;
  message: string;
}

/** Ends the import with how far it came, tells its watchers, and deletes its file. */
export async function finishImport(deps: ActivityDeps, input: JobRef<ImportId> & JobEndingInput): Promise<void> {
  const { tenantId, jobId: id, status, message } = input;
  const order = await recordJobChange(deps, input, async (tx) => {
    const ended = await finishJob(tx, { id, status, failure: status === 'FAILED' ? message : null });
    const [job] = (await findJobs(tx, 'IMPORT', [id])) as ImportRow[];
    const done = job?.startedAt == null ? '' : ` ${inWords(job.state)}`;
    if (ended && job !== undefined) await appendWebhookEvent(tx, 'import.finished', describe(job, status));
    const body = { kind: 'FINISHED' as const, status, message: `${message}${done}` };
    return { result: job?.order, event: ended ? { dedupeKey: 'finished', body } : null };
  });
  if (order !== undefined) await deps.objects.delete(uploadKey(tenantId, order.uploadId));
}

function describe({ id, state }: ImportRow, status: JobEnding) {
  const { rowCount, writtenCount, failedCount } = state;
  return { importId: encodeGlobalId('Import', id), status, rowCount, writtenCount, failedCount };
}
