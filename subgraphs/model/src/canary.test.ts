import { addCanaryCounts, findRunningCanary, recordCanaryClicks, startCanary } from '@kindred/db/canaries';
import { completeModelVersion, createModelVersion, promoteModelVersion } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { finishTrainingRun } from '@kindred/db/training-runs';
import { encodeGlobalId, type ModelVersionId, newId } from '@kindred/domain/ids';
import { createTestModel as createModelRow, createTestRun } from '@kindred/testing/test-model';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestModel, type TestModel } from './test-model.ts';

const CONFIGURE = `mutation ($input: ConfigureCanaryInput!) {
  configureCanary(input: $input) { model { canarySettings { sharePercent minimumAnswers maximumMinutes } } userErrors { code path } }
}`;
const ABORT = `mutation ($input: AbortCanaryInput!) {
  abortCanary(input: $input) { modelVersion { canary { status reason } } userErrors { code path } }
}`;
const PROMOTE = `mutation ($input: PromoteModelVersionInput!) {
  promoteModelVersion(input: $input) { modelVersion { status canary { status reason } } userErrors { code } }
}`;
const SIDE = '{ version { number } sharePercent answerCount clickCount clickThroughRate errorCount }';
const MODEL = `query ($id: ID!) { model(id: $id) { canary { status version { number } trial ${SIDE} control ${SIDE} } } }`;

let model: TestModel;
beforeAll(async () => {
  model = await createTestModel();
});
afterAll(() => model[Symbol.asyncDispose]());

/** A tenant's model whose version 1 answers while version 2 is on trial. */
async function openTrial() {
  const tenant = await createTestTenant(model.db);
  const { tenantId } = tenant;
  const made = await withTenant(model.db, tenantId, async (tx) => {
    const row = await createModelRow(tx);
    const ids: ModelVersionId[] = [];
    for (const number of [1, 2]) {
      const run = await createTestRun(tx, row);
      const id = newId('ModelVersion');
      ids.push(id);
      await createModelVersion(tx, { id, runId: run.id, algorithm: 'LIGHTGCN', artefactKey: `key ${number}` });
      const metrics = { ndcgAt10: 0.4, recallAt10: 0.3, hitRateAt10: 0.6, coverageAt10: 0.5 };
      const index = { kind: 'EXACT' as const, factory: null, recallAt20: 1 };
      await completeModelVersion(tx, { versionId: id, metrics, baselines: [], index });
      await finishTrainingRun(tx, { runId: run.id, status: 'SUCCEEDED' });
    }
    const [controlId, versionId] = ids;
    if (controlId === undefined || versionId === undefined) throw new Error('Wanted two versions.');
    await promoteModelVersion(tx, { versionId: controlId });
    const settings = { sharePercent: 20, minimumAnswers: 10, maximumMinutes: 60 };
    await startCanary(tx, { versionId, controlId, settings });
    return { modelId: encodeGlobalId('Model', row.id), versionId };
  });
  return { ...tenant, ...made, globalVersionId: encodeGlobalId('ModelVersion', made.versionId) };
}

test('a canary shows what both sides did, to its own tenant alone', async () => {
  const [trial, other] = await Promise.all([openTrial(), openTrial()]);
  const { tenantId, versionId } = trial;
  await withTenant(model.db, tenantId, async (tx) => {
    await addCanaryCounts(tx, versionId, {
      CONTROL: { answerCount: 40, errorCount: 0 },
      CANARY: { answerCount: 10, errorCount: 1 },
    });
    const clicks = Array.from({ length: 4 }, () => ({ versionId, recommendationId: v7(), arm: 'CONTROL' as const }));
    await recordCanaryClicks(tx, clicks);
  });
  expect(await model.read(trial.viewer, MODEL, { id: trial.modelId })).toEqual({
    model: {
      canary: {
        status: 'RUNNING',
        version: { number: 2 },
        trial: {
          version: { number: 2 },
          sharePercent: 20,
          answerCount: 10,
          clickCount: 0,
          clickThroughRate: 0,
          errorCount: 1,
        },
        control: {
          version: { number: 1 },
          sharePercent: 80,
          answerCount: 40,
          clickCount: 4,
          clickThroughRate: 0.1,
          errorCount: 0,
        },
      },
    },
  });
  expect(await model.read(other.viewer, MODEL, { id: trial.modelId })).toEqual({ model: null });
  expect(await model.read(other.viewer, MODEL, { id: other.modelId })).toMatchObject({
    model: { canary: { trial: { answerCount: 0, clickThroughRate: null } } },
  });
});

test('a canary is ended once by a person, and not by another tenant', async () => {
  const [trial, other] = await Promise.all([openTrial(), openTrial()]);
  const input = { versionId: trial.globalVersionId };
  expect(await model.read(other.viewer, ABORT, { input })).toEqual({
    abortCanary: { modelVersion: null, userErrors: [{ code: 'NOT_FOUND', path: ['versionId'] }] },
  });
  expect(await withTenant(model.db, trial.tenantId, findRunningCanary)).not.toBeNull();
  expect(await model.read(trial.viewer, ABORT, { input })).toEqual({
    abortCanary: {
      modelVersion: { canary: { status: 'ABORTED', reason: 'It was ended by a person.' } },
      userErrors: [],
    },
  });
  expect(await model.read(trial.viewer, ABORT, { input })).toMatchObject({
    abortCanary: { userErrors: [{ code: 'CONFLICT' }] },
  });
});

test('promoting the version on trial ends its canary', async () => {
  const { viewer, tenantId, globalVersionId } = await openTrial();
  expect(await model.read(viewer, PROMOTE, { input: { versionId: globalVersionId } })).toEqual({
    promoteModelVersion: {
      modelVersion: {
        status: 'ACTIVE',
        canary: { status: 'PROMOTED', reason: 'It was promoted before it was judged.' },
      },
      userErrors: [],
    },
  });
  expect(await withTenant(model.db, tenantId, findRunningCanary)).toBeNull();
});

test('a model keeps how its versions come to answer, within limits, and not for another tenant', async () => {
  const [{ viewer, modelId }, other] = await Promise.all([openTrial(), openTrial()]);
  const canary = { sharePercent: 5, minimumAnswers: 100, maximumMinutes: 30 };
  expect(await model.read(viewer, CONFIGURE, { input: { modelId, canary } })).toEqual({
    configureCanary: { model: { canarySettings: canary }, userErrors: [] },
  });
  expect(await model.read(viewer, CONFIGURE, { input: { modelId, canary: { ...canary, sharePercent: 100 } } })).toEqual(
    {
      configureCanary: { model: null, userErrors: [{ code: 'INVALID', path: ['canary', 'sharePercent'] }] },
    },
  );
  expect(await model.read(other.viewer, CONFIGURE, { input: { modelId, canary } })).toMatchObject({
    configureCanary: { userErrors: [{ code: 'NOT_FOUND' }] },
  });
  expect(await model.read(viewer, CONFIGURE, { input: { modelId, canary: null } })).toMatchObject({
    configureCanary: { model: { canarySettings: null } },
  });
});
