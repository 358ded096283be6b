import { recordInteractions } from '@kindred/db/interactions';
import { upsertItems } from '@kindred/db/items';
import { advanceJob, appendJobEvent, findJobs, finishJob, setEndedJobState, startJob } from '@kindred/db/jobs';
import { completeModelVersion, createModelVersion, promoteModelVersion } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { findUserIds } from '@kindred/db/users';
import { batchFileKey } from '@kindred/domain/batch-recommendations';
import { decodeGlobalId, encodeGlobalId, newId, type TenantId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { INTERNAL_TOKEN_HEADER, signInternalToken } from '@kindred/service/internal-token';
import { INTERNAL_TOKEN_SECRET } from '@kindred/testing/subgraph-client';
import { createTestModel as createModelRow, createTestRun } from '@kindred/testing/test-model';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { BATCH_RECOMMEND, jobWorkflowId } from '@kindred/workflows/contract';
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
  batchRecommendation: { id: string; status: string; count: number } | null;
  userErrors: { code: string; message: string; path: string[] }[];
}

const RESULT = '{ batchRecommendation { id status count } userErrors { code message path } }';
const METRICS = { ndcgAt10: 0.5, recallAt10: 0.5, hitRateAt10: 0.5, coverageAt10: 0.5 };
const INDEX = { kind: 'EXACT', factory: null, recallAt20: 1 } as const;

async function send(viewer: Viewer, field: string, input: object): Promise<Payload> {
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { ${field}(input: $input) ${RESULT} }`;
  const data = await model.read<Record<string, Payload>>(viewer, document, { input });
  return data[field] ?? expect.fail();
}

/** Asks the file route as the gateway does. */
function fetchFile(viewer: Viewer, batchId: string) {
  const path = `/files/batch-recommendations/${batchId}`;
  const token = signInternalToken(INTERNAL_TOKEN_SECRET, { audience: 'model', viewer, body: `GET ${path}` });
  return fetch(`${model.url}${path}`, { headers: { [INTERNAL_TOKEN_HEADER]: token } });
}

/** A tenant with a model, whose one version answers where it `isActive`, and the users `anna` and `ben`. */
async function newModel({ isActive = true } = {}) {
  const { viewer, tenantId } = await createTestTenant(model.db);
  const modelId = await withTenant(model.db, tenantId, async (tx) => {
    const run = await createTestRun(tx, await createModelRow(tx));
    const versionId = newId('ModelVersion');
    await createModelVersion(tx, { id: versionId, runId: run.id, algorithm: 'LIGHTGCN', artefactKey: 'nowhere' });
    await completeModelVersion(tx, { versionId, metrics: METRICS, baselines: [], index: INDEX });
    if (isActive) await promoteModelVersion(tx, { versionId });
    await upsertItems(tx, [{ externalId: 'item', title: 'Item', categories: [], properties: {} }]);
    const view = { itemExternalId: 'item', type: 'VIEW' as const, occurredAt: new Date() };
    await recordInteractions(
      tx,
      ['anna', 'ben'].map((userExternalId) => ({ ...view, userExternalId })),
    );
    return run.modelId;
  });
  return { viewer, tenantId, modelId: encodeGlobalId('Model', modelId) };
}

async function startBatch(viewer: Viewer, modelId: string): Promise<string> {
  const { batchRecommendation, userErrors } = await send(viewer, 'batchRecommend', { modelId });
  expect(userErrors).toEqual([]);
  return batchRecommendation?.id ?? expect.fail();
}

/** What the workflow of a batch would have written by its end. */
async function finish(tenantId: TenantId, globalId: string): Promise<void> {
  const id = decodeGlobalId('BatchRecommendation', globalId);
  const state = { userCount: 2, doneCount: 2, skippedCount: 1, sizeBytes: 5, expiresAtMs: Date.UTC(2030, 0, 1) };
  await model.objects.put(batchFileKey({ tenantId, jobId: id }), Buffer.from('line\n'));
  await withTenant(model.db, tenantId, async (tx) => {
    await startJob(tx, id, {});
    await advanceJob(tx, { id, revision: 0, state });
    await finishJob(tx, { id, status: 'SUCCEEDED', failure: null });
    const body = { kind: 'FINISHED', status: 'SUCCEEDED', message: 'Written.' } as const;
    await appendJobEvent(tx, { jobId: id, dedupeKey: 'finished', at: Date.now(), body });
  });
}

test('calls with one idempotency key start one batch, for the users that are named', async () => {
  const { viewer, tenantId, modelId } = await newModel();
  const input = { modelId, count: 7, userExternalIds: ['ben', 'anna'], idempotencyKey: 'once' };
  const answers = await Promise.all(Array.from({ length: 4 }, () => send(viewer, 'batchRecommend', input)));
  const ids = new Set(answers.map(({ batchRecommendation }) => batchRecommendation?.id));
  expect(ids.size).toBe(1);
  expect(answers[0]).toMatchObject({ batchRecommendation: { status: 'QUEUED', count: 7 }, userErrors: [] });
  const jobId = decodeGlobalId('BatchRecommendation', answers[0]?.batchRecommendation?.id ?? '');
  const [job] = await withTenant(model.db, tenantId, (tx) => findJobs(tx, 'BATCH_RECOMMENDATION', [jobId]));
  const users = await withTenant(model.db, tenantId, (tx) => findUserIds(tx, ['anna', 'ben']));
  expect(job?.order).toMatchObject({ userIds: expect.arrayContaining([...users.values()]) });
  const description = await model.temporal.workflow.getHandle(jobWorkflowId({ tenantId, jobId })).describe();
  expect(description).toMatchObject({ type: BATCH_RECOMMEND, status: { name: 'RUNNING' } });
});

test('what cannot be recommended is refused, each by its place in the input', async () => {
  const { viewer, modelId } = await newModel();
  const refused = async (input: object) => {
    const { batchRecommendation, userErrors } = await send(viewer, 'batchRecommend', { modelId, ...input });
    expect(batchRecommendation).toBeNull();
    return userErrors.map(({ code, path }) => `${code} ${path.join('.')}`);
  };
  expect(await refused({ count: 101, userExternalIds: [] })).toEqual(['INVALID count', 'INVALID userExternalIds']);
  expect(await refused({ userExternalIds: ['anna', 'nobody'] })).toEqual(['NOT_FOUND userExternalIds.1']);
  const untrained = await newModel({ isActive: false });
  expect(await send(untrained.viewer, 'batchRecommend', { modelId: untrained.modelId })).toMatchObject({
    batchRecommendation: null,
    userErrors: [{ code: 'CONFLICT', path: ['modelId'] }],
  });
});

test('a batch shows its file, which is given until it is deleted', async () => {
  const { viewer, tenantId, modelId } = await newModel();
  const batchId = await startBatch(viewer, modelId);
  expect((await fetchFile(viewer, batchId)).status).toBe(404);
  await finish(tenantId, batchId);
  const document = `query ($id: ID!) {
    model(id: $id) { batchRecommendations(first: 1) { edges { node {
      id status userCount doneCount skippedCount file { path sizeBytes expiresAt } model { id }
    } } } }
  }`;
  expect(await model.read(viewer, document, { id: modelId })).toMatchObject({
    model: {
      batchRecommendations: {
        edges: [
          {
            node: {
              id: batchId,
              status: 'SUCCEEDED',
              userCount: 2,
              doneCount: 2,
              skippedCount: 1,
              file: {
                path: `/files/model/batch-recommendations/${batchId}`,
                sizeBytes: 5,
                expiresAt: '2030-01-01T00:00:00.000Z',
              },
              model: { id: modelId },
            },
          },
        ],
      },
    },
  });
  const response = await fetchFile(viewer, batchId);
  expect(response.headers.get('content-type')).toContain('application/x-ndjson');
  expect(await response.text()).toBe('line\n');
  const publishable = { ...viewer, scopes: ['recommendations:read'] } as Viewer;
  expect((await fetchFile(publishable, batchId)).status).toBe(403);

  const id = decodeGlobalId('BatchRecommendation', batchId);
  await withTenant(model.db, tenantId, (tx) => setEndedJobState(tx, { id, state: { deletedAtMs: 1 } }));
  expect((await fetchFile(viewer, batchId)).status).toBe(404);
});

test('a watcher sees the events from after its sequence to the end', async () => {
  const { viewer, tenantId, modelId } = await newModel();
  const batchId = await startBatch(viewer, modelId);
  await finish(tenantId, batchId);
  const document = `subscription ($id: ID!) {
    batchRecommendationProgress(batchRecommendationId: $id) { sequence kind message batchRecommendation { status } }
  }`;
  const results = model.follow(viewer, document, { variables: { id: batchId } });
  expect((await results.next()).value).toEqual({
    data: {
      batchRecommendationProgress: {
        sequence: 1,
        kind: 'FINISHED',
        message: 'Written.',
        batchRecommendation: { status: 'SUCCEEDED' },
      },
    },
  });
  expect((await results.next()).done).toBe(true);
});

test('a batch under way is told to stop, one that no workflow works on is cancelled at once, an ended one refuses', async () => {
  const { viewer, tenantId, modelId } = await newModel();
  const batchRecommendationId = await startBatch(viewer, modelId);
  const cancel = () => send(viewer, 'cancelBatchRecommendation', { batchRecommendationId });
  expect(await cancel()).toMatchObject({ userErrors: [] });
  const jobId = decodeGlobalId('BatchRecommendation', batchRecommendationId);
  const handle = model.temporal.workflow.getHandle(jobWorkflowId({ tenantId, jobId }));
  const { events } = await handle.fetchHistory();
  expect(events?.some((event) => event.workflowExecutionCancelRequestedEventAttributes != null)).toBe(true);
  await handle.terminate();
  expect(await cancel()).toMatchObject({ batchRecommendation: { status: 'CANCELLED' }, userErrors: [] });
  expect(await cancel()).toMatchObject({ userErrors: [{ code: 'CONFLICT', path: ['batchRecommendationId'] }] });
});

test("another tenant's model and users are not recommended, and its batches not seen, watched, fetched or cancelled", async () => {
  const [ours, theirs] = [await newModel(), await newModel()];
  const batchRecommendationId = await startBatch(theirs.viewer, theirs.modelId);
  await finish(theirs.tenantId, batchRecommendationId);
  const nothing = { batchRecommendation: null, userErrors: [{ code: 'NOT_FOUND' }] };
  expect(await send(ours.viewer, 'batchRecommend', { modelId: theirs.modelId })).toMatchObject(nothing);
  expect(await send(ours.viewer, 'cancelBatchRecommendation', { batchRecommendationId })).toMatchObject(nothing);
  expect((await fetchFile(ours.viewer, batchRecommendationId)).status).toBe(404);
  expect((await fetchFile(theirs.viewer, batchRecommendationId)).status).toBe(200);
  const variables = { id: batchRecommendationId };
  expect(await model.read(ours.viewer, 'query ($id: ID!) { batchRecommendation(id: $id) { id } }', variables)).toEqual({
    batchRecommendation: null,
  });
  const document = `subscription ($id: ID!) { batchRecommendationProgress(batchRecommendationId: $id) { sequence } }`;
  const watched = model.follow(ours.viewer, document, { variables });
  expect((await watched.next()).value).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
});
