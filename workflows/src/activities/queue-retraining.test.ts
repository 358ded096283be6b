import { createModel } from '@kindred/db/models';
import { withTenant } from '@kindred/db/tenants';
import { createTrainingRun, finishTrainingRun } from '@kindred/db/training-runs';
import { changePlan } from '@kindred/db/usage';
import { newId } from '@kindred/domain/ids';
import { PLANS } from '@kindred/domain/plans';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import { openTrainingWorld } from '../testing/training-world.ts';
import { queueRetraining } from './queue-retraining.ts';

test('an erasure goes on without a training where the plan has none left, and another tenant has its own', async () => {
  await using world = await openTrainingWorld();
  await using tenants = await createTwoTenants();
  const deps = { ...world.deps, db: tenants.db };
  const trainings = [tenants.ours, tenants.theirs].map(({ tenantId }) => ({
    tenantId,
    modelId: newId('Model'),
    runId: newId('TrainingRun'),
  }));
  for (const { tenantId, modelId: id } of trainings) {
    await withTenant(deps.db, tenantId, async (tx) => {
      await changePlan(tx, 'FREE');
      await createModel(tx, { id, name: 'Home page', algorithm: 'LIGHTGCN', settings: {} });
    });
  }
  const [spent, fresh] = trainings;
  if (spent === undefined || fresh === undefined) throw new Error('Wanted two tenants');
  await withTenant(deps.db, spent.tenantId, async (tx) => {
    for (let count = 0; count < PLANS.FREE.trainingsPerMonth; count += 1) {
      const runId = newId('TrainingRun');
      await createTrainingRun(tx, { id: runId, modelId: spent.modelId, settings: {} });
      await finishTrainingRun(tx, { runId, status: 'CANCELLED' });
    }
  });
  expect(await queueRetraining(deps, spent)).toBe(false);
  expect(await queueRetraining(deps, fresh)).toBe(true);
});
