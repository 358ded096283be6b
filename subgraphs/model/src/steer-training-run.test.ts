import { withTenant } from '@kindred/db/tenants';
import { finishTrainingRun, setTrainingPhase, startTrainingRun } from '@kindred/db/training-runs';
import { decodeGlobalId } from '@kindred/domain/ids';
import type { TrainingPhase } from '@kindred/domain/training';
import { createTestTenant, type TestTenant } from '@kindred/testing/test-tenant';
import { trainModelWorkflowId } from '@kindred/workflows/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestModel, type TestModel } from './test-model.ts';

const VERBS = ['pause', 'resume', 'stop', 'cancel'] as const;
type Verb = (typeof VERBS)[number];

interface Answer {
  run: { id: string; status: string; workflowUrl: string | null } | null;
  userErrors: { code: string; message: string; path: string[] }[];
}

let model: TestModel;
beforeAll(async () => {
  model = await createTestModel();
});
afterAll(() => model[Symbol.asyncDispose]());

interface Started {
  tenant: TestTenant;
  modelId: string;
  runId: string;
}

async function startTraining(phase: TrainingPhase = 'TRAIN'): Promise<Started> {
  const tenant = await createTestTenant(model.db);
  const create = `mutation { createModel(input: { name: "Home" }) { model { id } } }`;
  const { createModel } = await model.read<{ createModel: { model: { id: string } } }>(tenant.viewer, create);
  const modelId = createModel.model.id;
  const train = `mutation ($modelId: ID!) { trainModel(input: { modelId: $modelId }) { run { id } } }`;
  const { trainModel } = await model.read<{ trainModel: { run: { id: string } } }>(tenant.viewer, train, { modelId });
  const runId = trainModel.run.id;
  await withTenant(model.db, tenant.tenantId, async (tx) => {
    await startTrainingRun(tx, decodeGlobalId('TrainingRun', runId), 'an-execution');
    await setTrainingPhase(tx, { runId: decodeGlobalId('TrainingRun', runId), phase });
  });
  return { tenant, modelId, runId };
}

async function steer(verb: Verb, viewer: TestTenant['viewer'], input: { runId: string; idempotencyKey?: string }) {
  const name = `${verb}TrainingRun`;
  const type = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}TrainingRunInput`;
  const document = `mutation ($input: ${type}!) {
    ${name}(input: $input) { run { id status workflowUrl } userErrors { code message path } }
  }`;
  const data = await model.read<Record<string, Answer>>(viewer, document, { input });
  return data[name] as Answer;
}

function handleOf({ tenant, modelId }: Started) {
  return model.temporal.workflow.getHandle(trainModelWorkflowId(tenant.tenantId, decodeGlobalId('Model', modelId)));
}

/** What the workflow was told, by its history: no worker runs here. */
async function toldOf(started: Started) {
  const { events } = await handleOf(started).fetchHistory();
  return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal, ...event }) => {
    const [payload] = signal?.input?.payloads ?? [];
    const request = payload?.data ? (JSON.parse(Buffer.from(payload.data).toString()) as { requestId: string }) : null;
    const cancelled = event.workflowExecutionCancelRequestedEventAttributes ? ['cancel'] : [];
    return signal?.signalName ? [`${signal.signalName} ${request?.requestId}`] : cancelled;
  });
}

test('each wish reaches the workflow of the run', async () => {
  const started = await startTraining();
  for (const verb of VERBS) {
    const { run, userErrors } = await steer(verb, started.tenant.viewer, { runId: started.runId });
    expect(userErrors).toEqual([]);
    expect(run).toMatchObject({ id: started.runId, status: 'RUNNING' });
  }
  const told = await toldOf(started);
  expect(told.map((line) => line.split(' ')[0])).toEqual([
    'pauseTrainingRun',
    'resumeTrainingRun',
    'stopTrainingRun',
    'cancel',
  ]);
});

test('a wish that is sent again with its key carries the same request, so that it counts once', async () => {
  const started = await startTraining();
  const input = { runId: started.runId, idempotencyKey: 'one' };
  await steer('pause', started.tenant.viewer, input);
  await steer('pause', started.tenant.viewer, input);
  await steer('pause', started.tenant.viewer, { runId: started.runId });
  const [first, second, third] = await toldOf(started);
  expect(second).toBe(first);
  expect(third).not.toBe(first);
});

test('a run shows operators where its workflow is', async () => {
  const { tenant, runId } = await startTraining();
  const { run } = await steer('resume', tenant.viewer, { runId });
  const workflow = `tenant%2F${tenant.tenantId}%2Fmodel%2F[0-9a-f-]+%2Ftraining`;
  expect(run?.workflowUrl).toMatch(
    new RegExp(`^http://operators.test/namespaces/[^/]+/workflows/${workflow}/an-execution/history$`),
  );
});

test.each(VERBS)('a run that has ended cannot be told to %s', async (verb) => {
  const started = await startTraining();
  const runId = decodeGlobalId('TrainingRun', started.runId);
  await withTenant(model.db, started.tenant.tenantId, (tx) => finishTrainingRun(tx, { runId, status: 'SUCCEEDED' }));
  expect(await steer(verb, started.tenant.viewer, { runId: started.runId })).toMatchObject({
    run: { status: 'SUCCEEDED' },
    userErrors: [{ code: 'CONFLICT', message: 'The run has ended already, as SUCCEEDED.', path: ['runId'] }],
  });
  expect(await toldOf(started)).toEqual([]);
});

test('a run that learns nothing at the moment cannot be stopped with its best epoch', async () => {
  const started = await startTraining('SNAPSHOT');
  const { userErrors } = await steer('stop', started.tenant.viewer, { runId: started.runId });
  expect(userErrors).toMatchObject([{ code: 'CONFLICT', message: expect.stringContaining('SNAPSHOT') as string }]);
  expect(await toldOf(started)).toEqual([]);
});

test.each(VERBS)('another tenant cannot %s a run, and is not told that there is one', async (verb) => {
  const started = await startTraining();
  const { viewer } = await createTestTenant(model.db);
  expect(await steer(verb, viewer, { runId: started.runId })).toMatchObject({
    run: null,
    userErrors: [{ code: 'NOT_FOUND', path: ['runId'] }],
  });
  expect(await toldOf(started)).toEqual([]);
});

test('an open run that no workflow works on can be cancelled and nothing else', async () => {
  const started = await startTraining();
  const { viewer } = started.tenant;
  await handleOf(started).terminate();
  const { userErrors } = await steer('pause', viewer, { runId: started.runId });
  expect(userErrors).toMatchObject([
    { code: 'CONFLICT', message: expect.stringContaining('only be cancelled') as string },
  ]);
  expect(await steer('cancel', viewer, { runId: started.runId })).toMatchObject({
    run: { status: 'CANCELLED' },
    userErrors: [],
  });
});

test("a wish for a run of before does not reach the model's next run", async () => {
  const started = await startTraining();
  const { tenant, modelId } = started;
  await handleOf(started).terminate();
  const train = `mutation ($modelId: ID!) { trainModel(input: { modelId: $modelId }) { run { id } } }`;
  await model.read(tenant.viewer, train, { modelId });
  const again = await model.read<{ trainModel: { run: { id: string } } }>(tenant.viewer, train, { modelId });
  expect(again.trainModel.run.id).not.toBe(started.runId);
  await steer('cancel', tenant.viewer, { runId: started.runId });
  expect(await toldOf(started)).toEqual([]);
});
