import { completeModelVersion, createModelVersion, promoteModelVersion } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { finishTrainingRun, setQualityGate } from '@kindred/db/training-runs';
import { decodeGlobalId, encodeGlobalId, newId } from '@kindred/domain/ids';
import { promotionTopic } from '@kindred/domain/training';
import { createTestModel as createModelRow, createTestRun } from '@kindred/testing/test-model';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestModel, type TestModel } from './test-model.ts';

const PROMOTE = `mutation ($input: PromoteModelVersionInput!) {
  promoteModelVersion(input: $input) { modelVersion { id number status model { activeVersion { number } } } userErrors { code message path } }
}`;
const ROLLBACK = `mutation ($input: RollbackModelInput!) {
  rollbackModel(input: $input) { modelVersion { number status model { activeVersion { number } previousVersion { number } } } userErrors { code message path } }
}`;

interface Payload {
  modelVersion: { number: number; status: string } | null;
  userErrors: { code: string; path: string[] }[];
}

const METRICS = { ndcgAt10: 0.4, recallAt10: 0.3, hitRateAt10: 0.6, coverageAt10: 0.5 };
const INDEX = { kind: 'EXACT' as const, factory: null, recallAt20: 1 };
const GATE = {
  passed: false,
  checks: [
    {
      name: 'BEST_BASELINE' as const,
      passed: false,
      message: 'Is worse.',
      value: -0.1,
      floor: 0,
      interval: { low: -0.2, high: -0.05 },
    },
  ],
};

let model: TestModel;
beforeAll(async () => {
  model = await createTestModel();
});
afterAll(() => model[Symbol.asyncDispose]());

/** A model with two versions that answered, the second still does, and a third that was kept back. */
async function createVersions() {
  const tenant = await createTestTenant(model.db);
  const made = await withTenant(model.db, tenant.tenantId, async (tx) => {
    const row = await createModelRow(tx);
    const ids = [];
    for (const number of [1, 2, 3]) {
      const run = await createTestRun(tx, row);
      const created = { id: newId('ModelVersion'), runId: run.id, algorithm: 'LIGHTGCN' as const, artefactKey: 'key' };
      const { id: versionId } = await createModelVersion(tx, created);
      await completeModelVersion(tx, { versionId, metrics: METRICS, baselines: [], index: INDEX });
      if (number < 3) await promoteModelVersion(tx, { versionId });
      else await setQualityGate(tx, { runId: run.id, gate: GATE });
      await finishTrainingRun(tx, { runId: run.id, status: 'SUCCEEDED' });
      ids.push({ versionId: encodeGlobalId('ModelVersion', versionId), runId: encodeGlobalId('TrainingRun', run.id) });
    }
    return { modelId: encodeGlobalId('Model', row.id), ids };
  });
  const [first, second, third] = made.ids as [(typeof made.ids)[0], (typeof made.ids)[0], (typeof made.ids)[0]];
  return { ...tenant, modelId: made.modelId, first, second, third };
}

async function promote(
  viewer: Parameters<TestModel['read']>[0],
  input: { versionId: string; idempotencyKey?: string },
) {
  return (await model.read<{ promoteModelVersion: Payload }>(viewer, PROMOTE, { input })).promoteModelVersion;
}

async function rollback(viewer: Parameters<TestModel['read']>[0], input: { modelId: string; idempotencyKey?: string }) {
  return (await model.read<{ rollbackModel: Payload }>(viewer, ROLLBACK, { input })).rollbackModel;
}

test('a version that was kept back answers once somebody says so, and serving is told', async () => {
  const { viewer, tenantId, third } = await createVersions();
  const heard = model.events.subscribe(promotionTopic(tenantId));
  await heard.ready;
  const gate = `query ($id: ID!) { trainingRun(id: $id) { qualityGate { passed checks { name passed message value floor interval { low high } } } } }`;
  expect(await model.read(viewer, gate, { id: third.runId })).toEqual({ trainingRun: { qualityGate: GATE } });
  expect(await promote(viewer, { versionId: third.versionId })).toMatchObject({
    modelVersion: { number: 3, status: 'ACTIVE', model: { activeVersion: { number: 3 } } },
    userErrors: [],
  });
  for await (const message of heard) {
    // The promotions of the set-up were still to be told.
    const { versionId } = JSON.parse(message) as { versionId: string };
    if (versionId === decodeGlobalId('ModelVersion', third.versionId)) break;
  }
});

test('one call goes back to the version before, step by step, until there is none', async () => {
  const { viewer, modelId, third } = await createVersions();
  await promote(viewer, { versionId: third.versionId });
  expect(await rollback(viewer, { modelId })).toMatchObject({
    modelVersion: {
      number: 2,
      status: 'ACTIVE',
      model: { activeVersion: { number: 2 }, previousVersion: { number: 1 } },
    },
    userErrors: [],
  });
  expect(await rollback(viewer, { modelId })).toMatchObject({
    modelVersion: { number: 1, model: { previousVersion: null } },
  });
  expect(await rollback(viewer, { modelId })).toMatchObject({
    modelVersion: null,
    userErrors: [{ code: 'CONFLICT', path: ['modelId'] }],
  });
});

test('a rollback that is sent again with its key goes back once', async () => {
  const { viewer, modelId, third } = await createVersions();
  await promote(viewer, { versionId: third.versionId });
  const input = { modelId, idempotencyKey: 'one-click' };
  const answers = await Promise.all([1, 2, 3].map(() => rollback(viewer, input)));
  expect(answers.map(({ modelVersion }) => modelVersion?.number)).toEqual([2, 2, 2]);
});

test("another tenant's versions and models are not found", async () => {
  const { modelId, first } = await createVersions();
  const { viewer: foreign } = await createTestTenant(model.db);
  expect(await promote(foreign, { versionId: first.versionId })).toMatchObject({
    modelVersion: null,
    userErrors: [{ code: 'NOT_FOUND', path: ['versionId'] }],
  });
  expect(await rollback(foreign, { modelId })).toMatchObject({
    modelVersion: null,
    userErrors: [{ code: 'NOT_FOUND', path: ['modelId'] }],
  });
});
