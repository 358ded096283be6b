import { randomUUID } from 'node:crypto';
import { withIdempotencyKey } from '@kindred/db/idempotency';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { findTrainingRuns, type TrainingRunRow } from '@kindred/db/training-runs';
import { decodeGlobalId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import type { ModelContext } from './context.ts';
import { endRun } from './end-run.ts';
import type { UserError } from './generated/resolvers.ts';
import type { Trainings } from './trainings.ts';

interface SteeringInput {
  runId: string;
  idempotencyKey?: string | null | undefined;
}

/** What the first call of a key decided: `requestId` lets the workflow count a wish once that is sent again. */
interface Decision {
  requestId: string;
  userErrors: UserError[];
}

interface Wish {
  operation: `${'pause' | 'resume' | 'stop' | 'cancel'}TrainingRun`;
  /** Why this open run cannot be steered so, in a sentence; null when it can. */
  refuse?: (run: TrainingRunRow) => string | null;
  send: (trainings: Trainings, run: TrainingRunRow, requestId: string) => Promise<'sent' | 'gone'>;
}

export function pauseTrainingRun(context: ModelContext, input: SteeringInput) {
  return steer(context, input, {
    operation: 'pauseTrainingRun',
    refuse: ({ phase }) =>
      phase === 'CANARY' ? 'Nothing is computed at CANARY: promote the version, or abort its canary.' : null,
    send: (trainings, run, requestId) => trainings.signal(run, 'pause', { requestId }),
  });
}

export function resumeTrainingRun(context: ModelContext, input: SteeringInput) {
  return steer(context, input, {
    operation: 'resumeTrainingRun',
    send: (trainings, run, requestId) => trainings.signal(run, 'resume', { requestId }),
  });
}

export function stopTrainingRun(context: ModelContext, input: SteeringInput) {
  return steer(context, input, {
    operation: 'stopTrainingRun',
    refuse: ({ phase }) =>
      phase === 'TRAIN' ? null : `A run can be stopped while it is at TRAIN; this one is at ${phase ?? 'its start'}.`,
    send: (trainings, run, requestId) => trainings.signal(run, 'stop', { requestId }),
  });
}

export function cancelTrainingRun(context: ModelContext, input: SteeringInput) {
  return steer(context, input, {
    operation: 'cancelTrainingRun',
    send: (trainings, run) => trainings.cancel(run),
  });
}

/** Decides in one transaction, then tells the workflow; what becomes of it the run's events tell. */
async function steer(context: ModelContext, input: SteeringInput, wish: Wish) {
  const { db, viewer, loaders, trainings } = context;
  const { idempotencyKey: key, ...request } = input;
  const { operation } = wish;
  const runId = decodeGlobalId('TrainingRun', input.runId);
  const decide = async (tx: TenantTx): Promise<Decision> => {
    const [run] = await findTrainingRuns(tx, [runId]);
    return { requestId: randomUUID(), userErrors: judge(run, input, wish) };
  };
  const { requestId, userErrors } = await withTenant(db, requireTenant(viewer), (tx) =>
    key == null ? decide(tx) : withIdempotencyKey(tx, { operation, key, request }, () => decide(tx)),
  );
  const run = await loaders.runs.load(runId);
  if (run === null || userErrors.length > 0) {
    return { run, userErrors };
  }
  const isGone = (await wish.send(trainings, run, requestId)) === 'gone';
  const now = await loaders.runs.clear(runId).load(runId);
  return isGone && now !== null && now.finishedAt === null
    ? await steerAbandonedRun(context, now, wish)
    : { run: now, userErrors: [] };
}

function judge(run: TrainingRunRow | undefined, { runId }: SteeringInput, { refuse }: Wish): UserError[] {
  if (run === undefined) {
    return [{ code: 'NOT_FOUND', message: `There is no training run ${runId}.`, path: ['runId'] }];
  }
  const message = run.finishedAt === null ? refuse?.(run) : `The run has ended already, as ${run.status}.`;
  return message == null ? [] : [{ code: 'CONFLICT', message, path: ['runId'] }];
}

/** An open run that no workflow works on can be cancelled and nothing else. */
async function steerAbandonedRun(context: ModelContext, run: TrainingRunRow, { operation }: Wish) {
  if (operation !== 'cancelTrainingRun') {
    const message = 'No workflow works on this run any more: it can only be cancelled.';
    return { run, userErrors: [{ code: 'CONFLICT' as const, message, path: ['runId'] }] };
  }
  const ending = { status: 'CANCELLED' as const, message: 'The training was cancelled.' };
  await endRun(context, { tenantId: run.tenantId, runId: run.id }, ending);
  return { run: await context.loaders.runs.clear(run.id).load(run.id), userErrors: [] };
}
