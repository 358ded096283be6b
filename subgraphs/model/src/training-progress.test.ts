import type { TrainingEventBody } from '@kindred/domain/training';
import { withTenant } from '@kindred/db/tenants';
import { finishTrainingRun } from '@kindred/db/training-runs';
import { decodeGlobalId } from '@kindred/domain/ids';
import { createTestTenant, type TestTenant } from '@kindred/testing/test-tenant';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestModel, type TestModel } from './test-model.ts';

const PROGRESS = `subscription ($runId: ID!, $afterSequence: Int) {
  trainingProgress(runId: $runId, afterSequence: $afterSequence) {
    sequence kind message phase epoch { epoch loss } evaluation { name metrics { ndcgAt10 } } run { status model { name } }
  }
}`;
const EVENTS = `query ($id: ID!) { trainingRun(id: $id) { lastSequence events(afterSequence: 1) { sequence kind } } }`;

interface Progress {
  trainingProgress: { sequence: number; kind: string; run: { status: string; model: { name: string } } };
}

const line = (message: string): TrainingEventBody => ({ kind: 'LOG', message });
const end: TrainingEventBody = { kind: 'FINISHED', status: 'SUCCEEDED', message: 'Done.' };

let model: TestModel;
beforeAll(async () => {
  model = await createTestModel();
});
afterAll(() => model[Symbol.asyncDispose]());

async function queueRun(): Promise<{ tenant: TestTenant; runId: string }> {
  const tenant = await createTestTenant(model.db);
  const create = `mutation { createModel(input: { name: "Home" }) { model { id } } }`;
  const { createModel } = await model.read<{ createModel: { model: { id: string } } }>(tenant.viewer, create);
  const train = `mutation ($modelId: ID!) { trainModel(input: { modelId: $modelId }) { run { id } } }`;
  const { trainModel } = await model.read<{ trainModel: { run: { id: string } } }>(tenant.viewer, train, {
    modelId: createModel.model.id,
  });
  return { tenant, runId: trainModel.run.id };
}

async function collect(tenant: TestTenant, variables: { runId: string; afterSequence?: number }) {
  const seen: Progress['trainingProgress'][] = [];
  for await (const { data } of model.follow<Progress>(tenant.viewer, PROGRESS, { variables })) {
    if (data) seen.push(data.trainingProgress);
  }
  return seen;
}

test('stored events come first, then live ones, without gaps or repeats, with the run as it is then', async () => {
  const { tenant, runId } = await queueRun();
  const { tenantId } = tenant;
  await model.tell(tenantId, runId, { body: line('one') });
  const reading = collect(tenant, { runId });
  await model.tell(tenantId, runId, { body: line('two') });
  await model.tell(tenantId, runId, { body: line('three'), published: false });
  await withTenant(model.db, tenantId, (tx) =>
    finishTrainingRun(tx, { runId: decodeGlobalId('TrainingRun', runId), status: 'SUCCEEDED' }),
  );
  await model.tell(tenantId, runId, { body: end });
  const seen = await reading;
  expect(seen.map((event) => event.sequence)).toEqual([1, 2, 3, 4]);
  expect(seen.at(-1)).toMatchObject({ kind: 'FINISHED', run: { status: 'SUCCEEDED', model: { name: 'Home' } } });
});

test('a reader that comes back passes what it saw last and misses nothing', async () => {
  const { tenant, runId } = await queueRun();
  for (const body of [line('one'), line('two'), line('three'), end]) {
    await model.tell(tenant.tenantId, runId, { body });
  }
  expect((await collect(tenant, { runId, afterSequence: 2 })).map((event) => event.sequence)).toEqual([3, 4]);
  expect(await model.read(tenant.viewer, EVENTS, { id: runId })).toMatchObject({
    trainingRun: { lastSequence: 4, events: [{ sequence: 2 }, { sequence: 3 }, { sequence: 4, kind: 'FINISHED' }] },
  });
});

test('a reader that saw the last event of an ended run is let go at once', async () => {
  const { tenant, runId } = await queueRun();
  await model.tell(tenant.tenantId, runId, { body: end });
  await withTenant(model.db, tenant.tenantId, (tx) =>
    finishTrainingRun(tx, { runId: decodeGlobalId('TrainingRun', runId), status: 'SUCCEEDED' }),
  );
  expect(await collect(tenant, { runId, afterSequence: 1 })).toEqual([]);
});

test("another tenant's run is not found, and none of its events arrive", async () => {
  const { tenant, runId } = await queueRun();
  const { viewer: foreign } = await createTestTenant(model.db);
  await model.tell(tenant.tenantId, runId, { body: line('secret') });
  const answers: unknown[] = [];
  for await (const answer of model.follow(foreign, PROGRESS, { variables: { runId } })) answers.push(answer);
  expect(answers).toMatchObject([{ errors: [{ extensions: { code: 'NOT_FOUND' } }] }]);
  expect(JSON.stringify(answers)).not.toContain('secret');
});
