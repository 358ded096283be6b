import { withTenant } from '@kindred/db/tenants';
import { listTrainingRuns } from '@kindred/db/training-runs';
import { PLANS } from '@kindred/domain/plans';
import { pretendUse } from '@kindred/testing/pretend-use';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestModel, type TestModel } from './test-model.ts';

const CREATE = 'mutation { createModel(input: { name: "Home" }) { model { id } } }';
const TRAIN = `mutation ($input: TrainModelInput!) {
  trainModel(input: $input) { run { status } userErrors { code message path } }
}`;

let model: TestModel;
beforeAll(async () => {
  model = await createTestModel();
});
afterAll(() => model[Symbol.asyncDispose]());

test('a training beyond the plan’s month is refused, queues nothing, and leaves other tenants theirs', async () => {
  const [ours, theirs] = [await createTestTenant(model.db), await createTestTenant(model.db)];
  await pretendUse(model, ours.tenantId, { trainings: PLANS.FREE.trainingsPerMonth });
  const train = async ({ viewer }: typeof ours) => {
    const created = await model.read<{ createModel: { model: { id: string } } }>(viewer, CREATE);
    return await model.read(viewer, TRAIN, { input: { modelId: created.createModel.model.id } });
  };
  const message = 'The plan FREE allows 60 trainings in a month: there are 60, and 1 more were wanted.';
  expect(await train(ours)).toEqual({
    trainModel: { run: null, userErrors: [{ code: 'PLAN_LIMIT_REACHED', message, path: ['modelId'] }] },
  });
  expect(await withTenant(model.db, ours.tenantId, (tx) => listTrainingRuns(tx, { first: 10 }))).toEqual([]);
  expect(await train(theirs)).toMatchObject({ trainModel: { run: { status: 'QUEUED' }, userErrors: [] } });
});
