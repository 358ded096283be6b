import { setTimeout } from 'node:timers/promises';
import { withIdempotencyKey } from '@kindred/db/idempotency';
import { findModels } from '@kindred/db/models';
import { PlanLimitError } from '@kindred/db/plan-limits';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { createTrainingRun, listTrainingRuns, RunOpenError, type TrainingRunRow } from '@kindred/db/training-runs';
import { decodeGlobalId, type ModelId, newId, type TrainingRunId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import type { ModelContext } from './context.ts';
import { endRun } from './end-run.ts';
import type { TrainModelInput, UserError } from './generated/resolvers.ts';
import { mergeSettings } from './hyperparameters.ts';

interface Queued {
  runId: TrainingRunId | null;
  userErrors: UserError[];
}

/** How long a model's last workflow may take to close behind its run's end. */
const CLOSING_TRIES = 25;
const CLOSING_PAUSE_MS = 200;

/** Queues a run and starts its workflow. Of calls at once for one model the database lets one through. */
export async function trainModel(context: ModelContext, input: TrainModelInput) {
  const { db, viewer, loaders } = context;
  const { idempotencyKey, ...request } = input;
  const modelId = decodeGlobalId('Model', input.modelId);
  const { runId, userErrors } = await withTenant(db, requireTenant(viewer), (tx) =>
    idempotencyKey == null
      ? queue(tx, modelId, request)
      : withIdempotencyKey(tx, { operation: 'trainModel', key: idempotencyKey, request }, () =>
          queue(tx, modelId, request),
        ),
  );
  if (runId === null) {
    await reviveOpenRun(context, modelId);
    return { run: null, userErrors };
  }
  const run = await loaders.runs.load(runId);
  if (run?.status === 'QUEUED') {
    await start(context, run);
  }
  return { run: await loaders.runs.clear(runId).load(runId), userErrors };
}

async function queue(tx: TenantTx, modelId: ModelId, input: Omit<TrainModelInput, 'idempotencyKey'>): Promise<Queued> {
  const [model] = await findModels(tx, [modelId]);
  if (model === undefined) {
    return refuse({ code: 'NOT_FOUND', message: `There is no model ${input.modelId}.`, path: ['modelId'] });
  }
  const { settings, userErrors } = mergeSettings(model.settings, input.hyperparameters);
  if (userErrors.length > 0) {
    return refuse(...userErrors);
  }
  try {
    const device = { wish: input.device, mayFallBack: input.deviceFallback };
    const { id } = await createTrainingRun(tx, { id: newId('TrainingRun'), modelId, settings, device });
    return { runId: id, userErrors: [] };
  } catch (error) {
    if (error instanceof RunOpenError) {
      const message = `"${model.name}" has a training that is queued or running; wait for its end.`;
      return refuse({ code: 'CONFLICT', message, path: ['modelId'] });
    }
    if (error instanceof PlanLimitError) {
      return refuse({ code: 'PLAN_LIMIT_REACHED', message: error.message, path: ['modelId'] });
    }
    throw error;
  }
}

function refuse(...userErrors: UserError[]): Queued {
  return { runId: null, userErrors };
}

/**
 * Starts the workflow of a QUEUED run.
 * @throws AppError UNAVAILABLE when Temporal does not take it; the run has then FAILED.
 */
async function start(context: ModelContext, { tenantId, id: runId, modelId }: TrainingRunRow): Promise<void> {
  try {
    for (let tries = 1; tries < CLOSING_TRIES; tries++) {
      if ((await context.trainings.start({ tenantId, runId, modelId })) === 'started') {
        return;
      }
      await setTimeout(CLOSING_PAUSE_MS);
    }
    await endRun(context, { tenantId, runId }, { status: 'FAILED', message: 'The training before it did not close.' });
  } catch (error) {
    await endRun(context, { tenantId, runId }, { status: 'FAILED', message: 'The training could not be started.' });
    throw error;
  }
}

/**
 * A model must not stay busy with a run that nothing works on: one that was queued by a process that ended before it
 * started the workflow is started now, one whose workflow was ended from outside has failed.
 */
async function reviveOpenRun(context: ModelContext, modelId: ModelId): Promise<void> {
  const tenantId = requireTenant(context.viewer);
  const [run] = await withTenant(context.db, tenantId, (tx) => listTrainingRuns(tx, { modelId, first: 1 }));
  const isOpen = run?.status === 'QUEUED' || run?.status === 'RUNNING';
  if (!isOpen || (await context.trainings.isUnderWay(tenantId, modelId))) {
    return;
  }
  if (run.status === 'QUEUED') {
    await context.trainings.start({ tenantId, runId: run.id, modelId });
    return;
  }
  await endRun(
    context,
    { tenantId, runId: run.id },
    { status: 'FAILED', message: 'The training was ended from outside.' },
  );
}
