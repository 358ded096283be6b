import { hasNewInteractions } from '@kindred/db/interactions-since';
import { findModels } from '@kindred/db/models';
import { PlanLimitError } from '@kindred/db/plan-limits';
import { withTenant } from '@kindred/db/tenants';
import { createTrainingRun, findLastTrainingStart, findTrainingRuns, RunOpenError } from '@kindred/db/training-runs';
import type { TrainingRunId } from '@kindred/domain/ids';
import type { RetrainInput, RetrainOutcome } from '../contract.ts';
import type { ActivityDeps } from './create-activities.ts';

/**
 * Queues a training of a model whose schedule fired, unless it has no schedule any more, is being trained, too little has
 * come in since it was trained last, or the tenant's plan allows no more. `runId` is the run's id: an attempt that comes again finds it there.
 */
export async function queueScheduledRun(
  deps: ActivityDeps,
  { tenantId, modelId, runId }: RetrainInput & { runId: TrainingRunId },
): Promise<RetrainOutcome> {
  return withTenant(deps.db, tenantId, async (tx) => {
    if ((await findTrainingRuns(tx, [runId])).length > 0) {
      return { runId };
    }
    const [model] = await findModels(tx, [modelId]);
    if (model?.schedule == null) {
      return skip('the model has no schedule any more');
    }
    const { afterInteractions } = model.schedule;
    const since = await findLastTrainingStart(tx, modelId);
    if (!(await hasNewInteractions(tx, { since, count: afterInteractions }))) {
      return skip(`fewer than ${afterInteractions} interactions came in since the last training`);
    }
    try {
      await createTrainingRun(tx, { id: runId, modelId, settings: model.settings });
      return { runId };
    } catch (error) {
      if (error instanceof RunOpenError) {
        return skip('the model is being trained');
      }
      if (error instanceof PlanLimitError) {
        return skip(error.message);
      }
      throw error;
    }
  });
}

function skip(reason: string): RetrainOutcome {
  return { runId: null, reason };
}
