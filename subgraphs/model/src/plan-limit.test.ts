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

const TUNE = `mutation ($input: TuneModelInput!) {
  tuneModel(input: $input) { tuning { status trialCount } userErrors { code message path } }
}`;

test('a tuning of more trials than the month has trainings left is refused whole, and leaves other tenants theirs', async () => {
  const [ours, theirs] = [await createTestTenant(model.db), await createTestTenant(model.db)];
  await pretendUse(model, ours.tenantId, { trainings: PLANS.FREE.trainingsPerMonth - 4 });
  const tune = async ({ viewer }: typeof ours, trialCount: number) => {
    const created = await model.read<{ createModel: { model: { id: string } } }>(viewer, CREATE);
    return await model.read(viewer, TUNE, { input: { modelId: created.createModel.model.id, trialCount } });
  };
  const message = 'The plan FREE allows 60 trainings in a month: there are 56, and 5 more were wanted.';
  expect(await tune(ours, 5)).toEqual({
    tuneModel: { tuning: null, userErrors: [{ code: 'PLAN_LIMIT_REACHED', message, path: ['modelId'] }] },
  });
  expect(await tune(theirs, 5)).toMatchObject({ tuneModel: { tuning: { status: 'QUEUED' }, userErrors: [] } });
});

test('a tuning takes its trials from the month, so that the next training finds none left', async () => {
  const [ours, theirs] = [await createTestTenant(model.db), await createTestTenant(model.db)];
  await pretendUse(model, ours.tenantId, { trainings: PLANS.FREE.trainingsPerMonth - 4 });
  await pretendUse(model, theirs.tenantId, {});
  const created = await model.read<{ createModel: { model: { id: string } } }>(ours.viewer, CREATE);
  const modelId = created.createModel.model.id;
  expect(await model.read(ours.viewer, TUNE, { input: { modelId, trialCount: 4 } })).toMatchObject({
    tuneModel: { tuning: { trialCount: 4 }, userErrors: [] },
  });
  expect(await model.read(ours.viewer, TRAIN, { input: { modelId } })).toMatchObject({
    trainModel: { run: null, userErrors: [{ code: 'PLAN_LIMIT_REACHED' }] },
  });
  const other = await model.read<{ createModel: { model: { id: string } } }>(theirs.viewer, CREATE);
  expect(await model.read(theirs.viewer, TRAIN, { input: { modelId: other.createModel.model.id } })).toMatchObject({
    trainModel: { run: { status: 'QUEUED' } },
  });
});
