import { withTenant } from '@kindred/db/tenants';
import { listTrainingEvents } from '@kindred/db/training-events';
import type { TrainingRunRow } from '@kindred/db/training-runs';
import { AppError } from '@kindred/domain/app-error';
import { decodeGlobalId, type TenantId, type TrainingRunId } from '@kindred/domain/ids';
import { type TrainingEvent, trainingTopic } from '@kindred/domain/training';
import { requireTenant } from '@kindred/service/guards';
import { streamProgress } from '@kindred/service/progress-stream';
import type { ModelContext } from './context.ts';
import { clearLoaders } from './loaders.ts';

const EVENTS_PER_READ = 500;
const RECHECK_MS = 5000;

/** The run's stored events. @throws AppError BAD_USER_INPUT for a page that cannot be. */
export async function listEvents(
  { db }: ModelContext,
  run: TrainingRunRow,
  { first, afterSequence }: { first: number; afterSequence?: number | null | undefined },
): Promise<TrainingEvent[]> {
  if (!Number.isInteger(first) || first < 1 || first > EVENTS_PER_READ) {
    throw new AppError('BAD_USER_INPUT', `first must be 1-${EVENTS_PER_READ}, got ${first}.`);
  }
  const after = checkSequence(afterSequence);
  return withTenant(db, run.tenantId, (tx) =>
    listTrainingEvents(tx, { runId: run.id, afterSequence: after, limit: first }),
  );
}

/**
 * A run's events from after `afterSequence` on; ends behind its last.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function subscribeToProgress(
  context: ModelContext,
  args: { runId: string; afterSequence?: number | null | undefined },
): Promise<AsyncIterable<{ trainingProgress: TrainingEvent }>> {
  const { loaders, viewer, events } = context;
  const tenantId = requireTenant(viewer);
  const afterSequence = checkSequence(args.afterSequence);
  const run = await loaders.runs.load(decodeGlobalId('TrainingRun', args.runId));
  if (run === null) {
    throw new AppError('NOT_FOUND', `There is no training run ${args.runId}.`);
  }
  const source = {
    readAfter: readerOf(context, { tenantId, runId: run.id }),
    subscribe: (signal: AbortSignal) => events.subscribe(trainingTopic(tenantId, run.id), signal),
    recheckMs: RECHECK_MS,
    // A reader that saw the last event already has nothing to wait for.
    isOver: run.finishedAt !== null && afterSequence >= run.lastSequence,
    signal: context.request.signal,
  };
  return showAsItIsNow(context, streamProgress(source, afterSequence));
}

function readerOf({ db }: ModelContext, { tenantId, runId }: { tenantId: TenantId; runId: TrainingRunId }) {
  return (afterSequence: number) =>
    withTenant(db, tenantId, (tx) => listTrainingEvents(tx, { runId, afterSequence, limit: EVENTS_PER_READ }));
}

/** Each event's other fields are read anew: what an earlier event of the same subscription saw is past. */
function showAsItIsNow(
  { loaders }: ModelContext,
  events: AsyncIterableIterator<TrainingEvent>,
): AsyncIterableIterator<{ trainingProgress: TrainingEvent }> {
  return {
    async next() {
      const { done, value } = await events.next();
      clearLoaders(loaders);
      return done === true ? { done, value: undefined } : { done: false, value: { trainingProgress: value } };
    },
    async return() {
      await events.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function checkSequence(afterSequence: number | null | undefined): number {
  if (afterSequence != null && afterSequence < 0) {
    throw new AppError('BAD_USER_INPUT', `afterSequence must be 0 or more, got ${afterSequence}.`);
  }
  return afterSequence ?? 0;
}
