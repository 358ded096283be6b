import { type JobRow, listJobs } from '@kindred/db/jobs';
import { withTenant } from '@kindred/db/tenants';
import { listTrials, type TrialRow } from '@kindred/db/tuning-trials';
import { AppError } from '@kindred/domain/app-error';
import { checkPageSize, decodeCursor } from '@kindred/domain/cursor';
import { decodeGlobalId, encodeGlobalId, type TuningId } from '@kindred/domain/ids';
import type { JobEvent } from '@kindred/domain/jobs';
import type { TuningOrder, TuningState } from '@kindred/domain/tunings';
import { type Connection, toConnection } from '@kindred/service/connection';
import type { ModelRow } from '@kindred/db/models';
import type { ModelContext } from './context.ts';
import { followJob } from './follow-job.ts';

/** A tuning; nothing of its state is there before it starts. */
export type TuningRow = JobRow<TuningOrder, Partial<TuningState>, TuningId>;

interface PageArgs {
  first: number;
  after?: string | null | undefined;
}

/** A page of a model's tunings, newest first. @throws AppError BAD_USER_INPUT for a page that cannot be. */
export async function listTunings(
  { db }: ModelContext,
  { id: modelId, tenantId }: ModelRow,
  args: PageArgs,
): Promise<Connection<TuningRow>> {
  const first = checkPageSize(args.first);
  const afterId = args.after == null ? null : decodeGlobalId('Tuning', decodeCursor(args.after));
  const rows = await withTenant(db, tenantId, (tx) =>
    listJobs(tx, { kind: 'TUNING', modelId, first: first + 1, afterId }),
  );
  return toConnection(rows as TuningRow[], args, (tuning) => encodeGlobalId('Tuning', tuning.id));
}

/** A page of a tuning's trials, in order. @throws AppError BAD_USER_INPUT for a page that cannot be. */
export async function listTrialsOf(
  { db }: ModelContext,
  { id: tuningId, tenantId }: TuningRow,
  args: PageArgs,
): Promise<Connection<TrialRow>> {
  const first = checkPageSize(args.first);
  const afterNumber = args.after == null ? -1 : readNumber(decodeCursor(args.after));
  const rows = await withTenant(db, tenantId, (tx) => listTrials(tx, { tuningId, first: first + 1, afterNumber }));
  return toConnection(rows, args, ({ number }) => String(number));
}

/** The tuning's best trial; null until there is one. */
export async function findBestTrial({ db }: ModelContext, tuning: TuningRow): Promise<TrialRow | null> {
  const { best } = tuning.state;
  if (best == null) return null;
  const page = { tuningId: tuning.id, first: 1, afterNumber: best.number - 1 };
  const [trial] = await withTenant(db, tuning.tenantId, (tx) => listTrials(tx, page));
  return trial ?? null;
}

function readNumber(position: string): number {
  if (/^\d{1,9}$/.test(position)) return Number(position);
  throw new AppError('BAD_USER_INPUT', `"${position}" is not the position of a trial.`);
}

/** A tuning's events from after `afterSequence` on. @throws AppError NOT_FOUND when the tenant has no such tuning. */
export async function subscribeToTuning(
  context: ModelContext,
  { tuningId, afterSequence }: { tuningId: string; afterSequence?: number | null | undefined },
): Promise<AsyncIterable<{ tuningProgress: JobEvent }>> {
  const job = await context.loaders.tunings.load(decodeGlobalId('Tuning', tuningId));
  if (job === null) throw new AppError('NOT_FOUND', `There is no tuning ${tuningId}.`);
  return followJob(context, { job, afterSequence, show: (event) => ({ tuningProgress: event }) });
}
