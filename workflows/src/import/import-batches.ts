import { addImportErrors } from '@kindred/db/import-errors';
import { advanceJob, JobSupersededError } from '@kindred/db/jobs';
import { PlanLimitError } from '@kindred/db/plan-limits';
import type { TenantTx } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import type { ImportId } from '@kindred/domain/ids';
import { type ImportPhase, type ImportRowError, type ImportState, uploadKey } from '@kindred/domain/imports';
import type { ActivityDeps } from '../activities/create-activities.ts';
import { permanentFailure } from '../failures.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { type ImportRow, loadImport } from '../load-import.ts';
import { type JobRef, recordJobChange } from '../record-job.ts';
import { type FileRow, readBatches, readLayout } from './read-rows.ts';

/** What became of the rows of a batch. */
export interface BatchOutcome {
  writtenCount: number;
  duplicateCount: number;
  failedCount: number;
  errors: ImportRowError[];
  /** To be done once the batch is committed, for whoever keeps in memory what it changed. */
  tell?: () => Promise<void>;
}

/** What a phase does with a batch of rows, in the transaction that says that it is done. */
export type BatchWork = (tx: TenantTx, rows: readonly FileRow[], job: ImportRow) => Promise<BatchOutcome>;

const BATCH_ROWS = 5_000;

/**
 * Takes the rows of an import through one phase, from where an attempt before this one stopped. What a batch does, its wrong
 * rows and how far the import has come are one transaction: nothing counts twice, and an attempt that was given up changes
 * nothing more. How the phase ended.
 */
export async function importBatches(
  deps: ActivityDeps,
  input: JobRef<ImportId>,
  { phase, work }: { phase: ImportPhase; work: BatchWork },
): Promise<ImportState> {
  const job = await loadImport(deps.db, input);
  if (job.state.phase !== phase) {
    throw permanentFailure('JobClosed', `The import ${job.id} is at ${job.state.phase}, wanted ${phase}.`);
  }
  const path = await deps.objects.materialize(uploadKey(input.tenantId, job.order.uploadId));
  const { columns } = await readLayout(path, job.order);
  let { state, revision } = job;
  return withHeartbeat(
    async (signal) => {
      const { position, line } = state;
      for await (const { rows, ...next } of readBatches(path, { columns, position, line, batchRows: BATCH_ROWS })) {
        signal.throwIfAborted();
        const from = { state, revision };
        ({ state, revision } = await takeBatch(deps, input, { job, from, next, rows, work }));
      }
      return state;
    },
    () => ({ position: state.position }),
  );
}

interface Batch {
  job: ImportRow;
  from: { state: ImportState; revision: number };
  next: { end: number; nextLine: number };
  rows: readonly FileRow[];
  work: BatchWork;
}

async function takeBatch(deps: ActivityDeps, input: JobRef<ImportId>, { job, from, next, rows, work }: Batch) {
  const { jobId: id } = input;
  try {
    const { tell, ...done } = await recordJobChange(deps, input, async (tx) => {
      const { errors, tell: tellLater, ...counts } = await work(tx, rows, job);
      const state = advance(from.state, { ...counts, ...next, rowCount: rows.length, errorCount: errors.length });
      await addImportErrors(tx, id, { knownCount: from.state.errorCount, errors });
      const revision = await advanceJob(tx, { id, revision: from.revision, state });
      const body = { kind: 'PROGRESSED' as const, message: inWords(state), details: { ...state } };
      return { result: { state, revision, tell: tellLater }, event: { dedupeKey: `revision:${revision}`, body } };
    });
    await tell?.();
    return done;
  } catch (error) {
    throw translate(error);
  }
}

type Counts = Pick<ImportState, 'rowCount' | 'writtenCount' | 'duplicateCount' | 'failedCount' | 'errorCount'>;

function advance(state: ImportState, { end, nextLine, ...counts }: Counts & Batch['next']): ImportState {
  return {
    ...state,
    position: end,
    line: nextLine,
    rowCount: state.rowCount + counts.rowCount,
    writtenCount: state.writtenCount + counts.writtenCount,
    duplicateCount: state.duplicateCount + counts.duplicateCount,
    failedCount: state.failedCount + counts.failedCount,
    errorCount: state.errorCount + counts.errorCount,
  };
}

/** How far an import has come, in a sentence. */
export function inWords({ phase, rowCount, writtenCount, duplicateCount, failedCount }: ImportState): string {
  const count = (value: number) => value.toLocaleString('en');
  const wrong = failedCount === 0 ? 'none is wrong' : `${count(failedCount)} wrong`;
  if (phase === 'CHECK') return `${count(rowCount)} rows checked: ${wrong}.`;
  return `${count(rowCount)} rows read: ${count(writtenCount)} written, ${count(duplicateCount)} known already, ${wrong}.`;
}

/** What the platform refuses, another attempt would be refused too. */
function translate(error: unknown): unknown {
  if (error instanceof JobSupersededError) return permanentFailure('JobClosed', error.message);
  const isRefusal =
    error instanceof PlanLimitError ||
    (error instanceof AppError && error.code !== 'UNAVAILABLE' && error.code !== 'TIMEOUT');
  return isRefusal ? permanentFailure('ImportRefused', error.message) : error;
}
