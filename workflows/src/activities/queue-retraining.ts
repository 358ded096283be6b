import { findModels } from '@kindred/db/models';
import { PlanLimitError } from '@kindred/db/plan-limits';
import { withTenant } from '@kindred/db/tenants';
import { createTrainingRun, findTrainingRuns, RunOpenError } from '@kindred/db/training-runs';
import type { TrainModelInput } from '../contract.ts';
import type { ActivityDeps } from './create-activities.ts';

/**
 * Queues a training of a model by its own settings; false where there is one to come already, which begins with the data as
 * they are then, where the tenant's plan has none left this month, or where the model is gone. An attempt that comes again finds its run there.
 */
export async function queueRetraining(deps: ActivityDeps, input: TrainModelInput): Promise<boolean> {
  const { tenantId, modelId, runId } = input;
  return withTenant(deps.db, tenantId, async (tx) => {
    if ((await findTrainingRuns(tx, [runId])).length > 0) {
      return true;
    }
    const [model] = await findModels(tx, [modelId]);
    if (model === undefined) {
      return false;
    }
    try {
      await createTrainingRun(tx, { id: runId, modelId, settings: model.settings });
      return true;
    } catch (error) {
      if (error instanceof RunOpenError || error instanceof PlanLimitError) {
        return false;
      }
      throw error;
    }
  });
}
