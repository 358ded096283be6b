import { advanceJob } from '@kindred/db/jobs';
import type { ImportId } from '@kindred/domain/ids';
import { uploadKey } from '@kindred/domain/imports';
import { checkBatch } from '../import/batch-work.ts';
import { importBatches } from '../import/import-batches.ts';
import { readLayout } from '../import/read-rows.ts';
import { loadImport } from '../load-import.ts';
import { type JobRef, recordJobChange } from '../record-job.ts';
import type { ActivityDeps } from './create-activities.ts';
import { beginPhase } from './open-import.ts';

/** Checks every row and writes none. When all are right the import goes on to be written. */
export async function checkImport(deps: ActivityDeps, input: JobRef<ImportId>): Promise<{ failedCount: number }> {
  const before = await loadImport(deps.db, input);
  if (before.state.phase === 'WRITE') return { failedCount: 0 };
  const { failedCount, sizeBytes } = await importBatches(deps, input, { phase: 'CHECK', work: checkBatch });
  if (failedCount > 0) return { failedCount };
  const { order, revision } = await loadImport(deps.db, input);
  const path = await deps.objects.materialize(uploadKey(input.tenantId, order.uploadId));
  const { position, line } = await readLayout(path, order);
  await recordJobChange(deps, input, async (tx) => {
    const state = beginPhase('WRITE', { sizeBytes, position, line });
    await advanceJob(tx, { id: input.jobId, revision, state });
    return { result: undefined, event: null };
  });
  return { failedCount };
}
