import { createModel, type ModelRow } from '@kindred/db/models';
import type { TenantTx } from '@kindred/db/tenants';
import { createTrainingRun, type TrainingRunRow } from '@kindred/db/training-runs';
import { newId } from '@kindred/domain/ids';
import type { HyperparameterSettings } from '@kindred/domain/training';

/** Small settings with which a training takes a second. */
export const TEST_SETTINGS = {
  dimension: 8,
  layers: 2,
  learningRate: 0.01,
  regularization: 0.0001,
  batchSize: 256,
  epochs: 5,
  patience: 5,
  seed: 7,
} as const satisfies HyperparameterSettings;

/** A LightGCN model of this name. */
export async function createTestModel(tx: TenantTx, name = 'Home page'): Promise<ModelRow> {
  return createModel(tx, {
    id: newId('Model'),
    name,
    algorithm: 'LIGHTGCN',
    settings: TEST_SETTINGS,
  });
}

/** A queued run of a model. */
export async function createTestRun(tx: TenantTx, model: ModelRow): Promise<TrainingRunRow> {
  return createTrainingRun(tx, {
    id: newId('TrainingRun'),
    modelId: model.id,
    settings: model.settings,
  });
}
