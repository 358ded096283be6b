import { createModelVersion } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import {
  createTrainingRun,
  fixHyperparameters,
  listTrainingRuns,
  setTrainingCompute,
  startTrainingRun,
} from '@kindred/db/training-runs';
import { decodeGlobalId, newId } from '@kindred/domain/ids';
import type { Hyperparameters } from '@kindred/domain/training';
import { createTestTenant, type TestTenant } from '@kindred/testing/test-tenant';
import { trainModelWorkflowId } from '@kindred/workflows/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestModel, type TestModel } from './test-model.ts';

const CREATE = `mutation { createModel(input: { name: "Home" }) { model { id } } }`;
const TRAIN = `mutation ($input: TrainModelInput!) {
  trainModel(input: $input) { run { id status failure hyperparameters { epochs } model { name } } userErrors { code message path } }
}`;

const TRAINED: Hyperparameters = {
  loss: 'bpr',
  dimension: 8,
  layers: 2,
  learningRate: 0.01,
  regularization: 0,
  batchSize: 777,
  epochs: 2,
  patience: 2,
  seed: 1,
  initialDeviation: 0.1,
  userGroup: 1,
  lengthExponent: 1,
};

interface Trained {
  trainModel: { run: { id: string; status: string; failure: string | null } | null; userErrors: { code: string }[] };
}

let model: TestModel;
beforeAll(async () => {
  model = await createTestModel();
});
afterAll(() => model[Symbol.asyncDispose]());

async function createModel(on: TestModel = model) {
  const tenant = await createTestTenant(on.db);
  const { createModel: created } = await on.read<{ createModel: { model: { id: string } } }>(tenant.viewer, CREATE);
  return { tenant, modelId: created.model.id };
}

function describeWorkflow(tenant: TestTenant, modelId: string) {
  const workflowId = trainModelWorkflowId(tenant.tenantId, decodeGlobalId('Model', modelId));
  return model.temporal.workflow.getHandle(workflowId).describe();
}

test('a training is queued as a row and started as the workflow of its model', async () => {
  const { tenant, modelId } = await createModel();
  const input = { modelId, hyperparameters: { epochs: 2 } };
  const { trainModel } = await model.read<Trained>(tenant.viewer, TRAIN, { input });
  expect(trainModel).toMatchObject({
    run: { status: 'QUEUED', hyperparameters: { epochs: 2 }, model: { name: 'Home' } },
    userErrors: [],
  });
  expect(await describeWorkflow(tenant, modelId)).toMatchObject({ type: 'trainModel', status: { name: 'RUNNING' } });
});

const RUN = `query ($id: ID!) {
  trainingRun(id: $id) {
    hyperparameters { overridden loss epochs batchSize temperature }
    compute { backend detail reason }
    version { number algorithm } versions { number algorithm }
  }
}`;

test('a run shows what it trains with and what computes it as soon as the run knows', async () => {
  const { tenant, modelId } = await createModel();
  const input = { modelId, hyperparameters: { epochs: 2 } };
  const { trainModel } = await model.read<Trained>(tenant.viewer, TRAIN, { input });
  const id = trainModel.run?.id ?? '';
  expect(await model.read(tenant.viewer, RUN, { id })).toMatchObject({
    trainingRun: {
      hyperparameters: { overridden: ['epochs'], loss: 'SOFTMAX', epochs: 2, batchSize: 64 },
      compute: null,
      version: null,
      versions: [],
    },
  });

  const runId = decodeGlobalId('TrainingRun', id);
  const compute = { backend: 'native' as const, detail: 'avx2, 2 threads', reason: 'the fastest that works here' };
  await withTenant(model.db, tenant.tenantId, async (tx) => {
    await fixHyperparameters(tx, { runId, hyperparameters: TRAINED });
    await setTrainingCompute(tx, { runId, compute });
    for (const algorithm of ['SPECTRAL', 'LIGHTGCN'] as const) {
      await createModelVersion(tx, { id: newId('ModelVersion'), runId, algorithm, artefactKey: 'key' });
    }
  });
  const trained = { number: 2, algorithm: 'LIGHTGCN' };
  expect(await model.read(tenant.viewer, RUN, { id })).toEqual({
    trainingRun: {
      hyperparameters: { overridden: ['epochs'], loss: 'BPR', epochs: 2, batchSize: 777, temperature: null },
      compute: { ...compute, backend: 'NATIVE' },
      version: trained,
      versions: [{ number: 1, algorithm: 'SPECTRAL' }, trained],
    },
  });
  const { viewer: foreign } = await createTestTenant(model.db);
  expect(await model.read(foreign, RUN, { id })).toEqual({ trainingRun: null });
});

test('of calls at once for one model one is let through, the others are told of the conflict', async () => {
  const { tenant, modelId } = await createModel();
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => model.read<Trained>(tenant.viewer, TRAIN, { input: { modelId } })),
  );
  const codes = answers.map(({ trainModel }) => trainModel.userErrors[0]?.code ?? 'started').toSorted();
  expect(codes).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT', 'CONFLICT', 'started']);
});

test('calls with one idempotency key give the same run', async () => {
  const { tenant, modelId } = await createModel();
  const input = { modelId, idempotencyKey: 'once' };
  const answers = await Promise.all([1, 2, 3].map(() => model.read<Trained>(tenant.viewer, TRAIN, { input })));
  expect(new Set(answers.map(({ trainModel }) => trainModel.run?.id)).size).toBe(1);
  expect(answers.map(({ trainModel }) => trainModel.run?.status)).toEqual(['QUEUED', 'QUEUED', 'QUEUED']);
});

test("another tenant's model is not found, and settings out of range are told", async () => {
  const { tenant, modelId } = await createModel();
  const { viewer: foreign } = await createTestTenant(model.db);
  const stolen = await model.read<Trained>(foreign, TRAIN, { input: { modelId } });
  expect(stolen.trainModel).toMatchObject({ run: null, userErrors: [{ code: 'NOT_FOUND', path: ['modelId'] }] });
  const input = { modelId, hyperparameters: { layers: 9 } };
  const wrong = await model.read<Trained>(tenant.viewer, TRAIN, { input });
  expect(wrong.trainModel.userErrors).toMatchObject([{ code: 'INVALID', path: ['hyperparameters', 'layers'] }]);
});

test('a run that was queued by a process that ended is started by the next call', async () => {
  const { tenant, modelId } = await createModel();
  const run = { id: newId('TrainingRun'), modelId: decodeGlobalId('Model', modelId) };
  await withTenant(model.db, tenant.tenantId, (tx) => createTrainingRun(tx, { ...run, settings: {} }));
  const { trainModel } = await model.read<Trained>(tenant.viewer, TRAIN, { input: { modelId } });
  expect(trainModel.userErrors).toMatchObject([{ code: 'CONFLICT' }]);
  expect(await describeWorkflow(tenant, modelId)).toMatchObject({ status: { name: 'RUNNING' } });
});

test('a run whose workflow was ended from outside has failed, and the model can be trained again', async () => {
  const { tenant, modelId } = await createModel();
  const { trainModel: lost } = await model.read<Trained>(tenant.viewer, TRAIN, { input: { modelId } });
  const workflowId = trainModelWorkflowId(tenant.tenantId, decodeGlobalId('Model', modelId));
  await withTenant(model.db, tenant.tenantId, (tx) =>
    startTrainingRun(tx, decodeGlobalId('TrainingRun', lost.run?.id ?? '')),
  );
  await model.temporal.workflow.getHandle(workflowId).terminate();
  await model.read<Trained>(tenant.viewer, TRAIN, { input: { modelId } });
  const again = await model.read<Trained>(tenant.viewer, TRAIN, { input: { modelId } });
  expect(again.trainModel).toMatchObject({ run: { status: 'QUEUED' }, userErrors: [] });
  const runs = await withTenant(model.db, tenant.tenantId, (tx) => listTrainingRuns(tx, { first: 5 }));
  expect(runs.map((run) => run.status)).toEqual(['QUEUED', 'FAILED']);
});

test('a training that cannot be started is a failed run and an error that says so', async () => {
  await using cut = await createTestModel('127.0.0.1:1');
  const { tenant, modelId } = await createModel(cut);
  const { errors } = await cut.ask<Trained>(tenant.viewer, TRAIN, { input: { modelId } });
  expect(errors).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }]);
  const [run] = await withTenant(cut.db, tenant.tenantId, (tx) => listTrainingRuns(tx, { first: 1 }));
  expect(run).toMatchObject({ status: 'FAILED', failure: 'The training could not be started.', lastSequence: 1 });
});
