import { stat } from 'node:fs/promises';
import { startJob } from '@kindred/db/jobs';
import type { ImportId } from '@kindred/domain/ids';
import { type ImportPhase, type ImportState, uploadKey } from '@kindred/domain/imports';
import { ObjectNotFoundError } from '@kindred/service/object-key';
import { permanentFailure } from '../failures.ts';
import { readLayout } from '../import/read-rows.ts';
import { loadImport } from '../load-import.ts';
import { type JobRef, recordJobChange } from '../record-job.ts';
import type { ActivityDeps } from './create-activities.ts';

/**
 * Begins an import: its file is there, and its first line makes sense. `checksFirst` says whether every row is to be checked
 * before the first is written.
 */
export async function openImport(deps: ActivityDeps, input: JobRef<ImportId>): Promise<{ checksFirst: boolean }> {
  const { order } = await loadImport(deps.db, input);
  const path = await deps.objects.materialize(uploadKey(input.tenantId, order.uploadId)).catch((error: unknown) => {
    if (!(error instanceof ObjectNotFoundError)) throw error;
    throw permanentFailure('UnreadableImport', 'The uploaded file is not there any more.');
  });
  const { position, line } = await readLayout(path, order);
  const checksFirst = order.errorPolicy === 'REJECT_EVERYTHING';
  const { size: sizeBytes } = await stat(path);
  const state = beginPhase(checksFirst ? 'CHECK' : 'WRITE', { sizeBytes, position, line });
  await recordJobChange(deps, input, async (tx) => {
    await startJob(tx, input.jobId, state);
    const body = { kind: 'PROGRESSED' as const, message: 'The import has begun.', details: { ...state } };
    return { result: undefined, event: { dedupeKey: 'begun', body } };
  });
  return { checksFirst };
}

/** A phase of which nothing is done. */
export function beginPhase(phase: ImportPhase, at: Pick<ImportState, 'sizeBytes' | 'position' | 'line'>): ImportState {
  return { phase, ...at, rowCount: 0, writtenCount: 0, duplicateCount: 0, failedCount: 0, errorCount: 0 };
}
