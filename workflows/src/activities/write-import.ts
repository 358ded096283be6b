import type { ImportId } from '@kindred/domain/ids';
import { writeBatch } from '../import/batch-work.ts';
import { importBatches } from '../import/import-batches.ts';
import type { JobRef } from '../record-job.ts';
import type { ActivityDeps } from './create-activities.ts';

/** Writes the right rows of the file, and keeps what is wrong with the others. How many were wrong. */
export async function writeImport(deps: ActivityDeps, input: JobRef<ImportId>): Promise<{ failedCount: number }> {
  const { failedCount } = await importBatches(deps, input, { phase: 'WRITE', work: writeBatch(deps) });
  return { failedCount };
}
