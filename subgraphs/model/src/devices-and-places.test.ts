import { withTenant } from '@kindred/db/tenants';
import { findTrainingRuns } from '@kindred/db/training-runs';
import { decodeGlobalId, encodeGlobalId } from '@kindred/domain/ids';
import { createTestModel as createModelRow } from '@kindred/testing/test-model';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestModel, type TestModel } from './test-model.ts';

const TRAIN = `mutation ($input: TrainModelInput!) {
  trainModel(input: $input) { run { id status deviceWish device deviceReason queuePosition } userErrors { code } }
}`;

let model: TestModel;
beforeAll(async () => {
  model = await createTestModel();
});
afterAll(() => model[Symbol.asyncDispose]());

interface Trained {
  trainModel: { run: { id: string; queuePosition: number | null } };
}

test('a run keeps what it was asked to compute with, and shows its place in the queue of its own tenant', async () => {
  const [tenant, other] = await Promise.all([createTestTenant(model.db), createTestTenant(model.db)]);
  const modelOf = ({ tenantId }: typeof tenant, name: string) =>
    withTenant(model.db, tenantId, async (tx) => encodeGlobalId('Model', (await createModelRow(tx, name)).id));
  const train = async ({ viewer }: typeof tenant, input: object) =>
    (await model.read<Trained>(viewer, TRAIN, { input })).trainModel.run;

  const first = await train(tenant, { modelId: await modelOf(tenant, 'One'), device: 'GPU', deviceFallback: false });
  expect(first).toMatchObject({
    status: 'QUEUED',
    deviceWish: 'GPU',
    device: null,
    deviceReason: null,
    queuePosition: 1,
  });
  const runId = decodeGlobalId('TrainingRun', first.id);
  const [row] = await withTenant(model.db, tenant.tenantId, (tx) => findTrainingRuns(tx, [runId]));
  expect(row).toMatchObject({ deviceWish: 'GPU', deviceFallback: false });
  // As its workflow would: no worker runs here.
  await withTenant(model.db, tenant.tenantId, (tx) =>
    tx.client.trainingRun.updateMany({
      where: { tenantId: tenant.tenantId, id: runId },
      data: { askedAt: new Date() },
    }),
  );
  const second = await train(tenant, { modelId: await modelOf(tenant, 'Two') });
  expect(second).toMatchObject({ deviceWish: 'AUTO', queuePosition: 2 });
  expect(await train(other, { modelId: await modelOf(other, 'One') })).toMatchObject({ queuePosition: 1 });
});
