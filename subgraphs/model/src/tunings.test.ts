import { appendJobEvent, finishJob, startJob } from '@kindred/db/jobs';
import { createModel } from '@kindred/db/models';
import { withTenant } from '@kindred/db/tenants';
import { addTrialStep, claimTrial, endTrial, planTrials } from '@kindred/db/tuning-trials';
import { decodeGlobalId, encodeGlobalId, newId, type TenantId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { jobWorkflowId, TUNE_MODEL } from '@kindred/workflows/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestModel, type TestModel } from './test-model.ts';

let model: TestModel;

beforeAll(async () => {
  model = await createTestModel();
}, 120_000);

afterAll(async () => {
  await model[Symbol.asyncDispose]();
});

interface Payload {
  tuning: { id: string; status: string; appliedAt: string | null } | null;
  userErrors: { code: string; message: string; path: string[] }[];
}

const RESULT = '{ tuning { id status appliedAt } userErrors { code message path } }';

async function send(viewer: Viewer, field: string, input: object): Promise<Payload> {
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { ${field}(input: $input) ${RESULT} }`;
  const data = await model.read<Record<string, Payload>>(viewer, document, { input });
  return data[field] ?? expect.fail();
}

async function newModel() {
  const { viewer, tenantId } = await createTestTenant(model.db);
  const id = newId('Model');
  const settings = { layers: 1, epochs: 5 };
  await withTenant(model.db, tenantId, (tx) =>
    createModel(tx, { id, name: 'For you', algorithm: 'LIGHTGCN', settings }),
  );
  return { viewer, tenantId, modelId: encodeGlobalId('Model', id) };
}

async function startTuning(viewer: Viewer, modelId: string): Promise<string> {
  const { tuning, userErrors } = await send(viewer, 'tuneModel', { modelId });
  expect(userErrors).toEqual([]);
  return tuning?.id ?? expect.fail();
}

/** What the workflow of a tuning would have written by its end. */
async function finish(tenantId: TenantId, globalId: string): Promise<void> {
  const tuningId = decodeGlobalId('Tuning', globalId);
  await withTenant(model.db, tenantId, async (tx) => {
    await startJob(tx, tuningId, { best: { number: 1, ndcgAt10: 0.5, settings: { layers: 3 } }, appliedAt: null });
    await planTrials(tx, { tuningId, points: [{}, { layers: 3 }] });
    await claimTrial(tx, { tuningId, number: 1 });
    await addTrialStep(tx, { tuningId, number: 1, fence: 1 }, 0.25);
    await addTrialStep(tx, { tuningId, number: 1, fence: 1 }, 0.5);
    await endTrial(tx, { tuningId, number: 1, status: 'DONE', failure: null });
    await finishJob(tx, { id: tuningId, status: 'SUCCEEDED', failure: null });
    const body = { kind: 'FINISHED', status: 'SUCCEEDED', message: 'Tuned.' } as const;
    await appendJobEvent(tx, { jobId: tuningId, dedupeKey: 'finished', at: Date.now(), body });
  });
}

test('a model is tuned by one workflow at a time', async () => {
  const { viewer, tenantId, modelId } = await newModel();
  const answers = await Promise.all(Array.from({ length: 4 }, () => send(viewer, 'tuneModel', { modelId })));
  const [started] = answers.flatMap(({ tuning }) => tuning ?? []);
  expect(answers.filter(({ tuning }) => tuning !== null)).toHaveLength(1);
  expect(answers.flatMap(({ userErrors }) => userErrors)).toEqual(
    Array.from({ length: 3 }, () => ({
      code: 'CONFLICT',
      message: 'The model has a tuning that is queued or running.',
      path: ['modelId'],
    })),
  );
  const jobId = decodeGlobalId('Tuning', started?.id ?? '');
  const description = await model.temporal.workflow.getHandle(jobWorkflowId({ tenantId, jobId })).describe();
  expect(description).toMatchObject({ type: TUNE_MODEL, status: { name: 'RUNNING' } });
});

test('numbers outside their range are refused, each by its name', async () => {
  const { viewer, modelId } = await newModel();
  const input = { modelId, trialCount: 65, parallelCount: 0, epochs: 1_001, seed: -1 };
  const { tuning, userErrors } = await send(viewer, 'tuneModel', input);
  expect(tuning).toBeNull();
  expect(userErrors.map(({ path }) => path[0])).toEqual(['trialCount', 'parallelCount', 'epochs', 'seed']);
});

test('the best settings become those of the model once somebody applies them', async () => {
  const { viewer, tenantId, modelId } = await newModel();
  const tuningId = await startTuning(viewer, modelId);
  expect(await send(viewer, 'applyTuning', { tuningId })).toMatchObject({
    tuning: { appliedAt: null },
    userErrors: [{ code: 'CONFLICT', message: 'The tuning has not ended.' }],
  });
  await finish(tenantId, tuningId);
  const applied = await send(viewer, 'applyTuning', { tuningId, idempotencyKey: 'once' });
  expect(applied).toMatchObject({ tuning: { appliedAt: expect.any(String) }, userErrors: [] });
  const document = `query ($id: ID!) {
    model(id: $id) {
      hyperparameters { layers epochs overridden }
      tunings(first: 1) { edges { node { best { number } trialCount trials { edges { node { number status curve ndcgAt10 settings { name value } } } } } } }
    }
  }`;
  expect(await model.read(viewer, document, { id: modelId })).toEqual({
    model: {
      hyperparameters: { layers: 3, epochs: 5, overridden: ['epochs', 'layers'] },
      tunings: {
        edges: [
          {
            node: {
              best: { number: 1 },
              trialCount: 16,
              trials: {
                edges: [
                  { node: { number: 0, status: 'WAITING', curve: [], ndcgAt10: null, settings: [] } },
                  {
                    node: {
                      number: 1,
                      status: 'DONE',
                      curve: [0.25, 0.5],
                      ndcgAt10: 0.5,
                      settings: [{ name: 'layers', value: 3 }],
                    },
                  },
                ],
              },
            },
          },
        ],
      },
    },
  });
});

test('a watcher sees the events from after its sequence to the end', async () => {
  const { viewer, tenantId, modelId } = await newModel();
  const tuningId = await startTuning(viewer, modelId);
  await finish(tenantId, tuningId);
  const document = `subscription ($id: ID!) { tuningProgress(tuningId: $id) { sequence kind message tuning { status } } }`;
  const results = model.follow(viewer, document, { variables: { id: tuningId } });
  expect((await results.next()).value).toEqual({
    data: { tuningProgress: { sequence: 1, kind: 'FINISHED', message: 'Tuned.', tuning: { status: 'SUCCEEDED' } } },
  });
  expect((await results.next()).done).toBe(true);
});

test('a tuning under way is told to stop, and one that no workflow works on is cancelled at once', async () => {
  const { viewer, tenantId, modelId } = await newModel();
  const tuningId = await startTuning(viewer, modelId);
  expect(await send(viewer, 'cancelTuning', { tuningId })).toMatchObject({ userErrors: [] });
  const workflowId = jobWorkflowId({ tenantId, jobId: decodeGlobalId('Tuning', tuningId) });
  const handle = model.temporal.workflow.getHandle(workflowId);
  const { events } = await handle.fetchHistory();
  expect(events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes != null)).toBe(true);
  await handle.terminate();
  expect(await send(viewer, 'cancelTuning', { tuningId })).toMatchObject({
    tuning: { status: 'CANCELLED' },
    userErrors: [],
  });
});

test("another tenant's model is not tuned, and its tunings are not seen, watched, applied or cancelled", async () => {
  const [ours, theirs] = [await newModel(), await newModel()];
  const tuningId = await startTuning(theirs.viewer, theirs.modelId);
  await finish(theirs.tenantId, tuningId);
  expect(await send(ours.viewer, 'tuneModel', { modelId: theirs.modelId })).toMatchObject({
    tuning: null,
    userErrors: [{ code: 'NOT_FOUND' }],
  });
  for (const field of ['applyTuning', 'cancelTuning']) {
    const payload = await send(ours.viewer, field, { tuningId });
    expect(payload).toMatchObject({ tuning: null, userErrors: [{ code: 'NOT_FOUND' }] });
  }
  expect(await model.read(ours.viewer, `query ($id: ID!) { tuning(id: $id) { id } }`, { id: tuningId })).toEqual({
    tuning: null,
  });
  const watched = model.follow(ours.viewer, `subscription ($id: ID!) { tuningProgress(tuningId: $id) { sequence } }`, {
    variables: { id: tuningId },
  });
  expect((await watched.next()).value).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
});
