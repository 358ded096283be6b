import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { listReceiptLines } from '@kindred/db/erasure-receipts';
import { createErasure, getErasure } from '@kindred/db/erasures';
import { withTenant } from '@kindred/db/tenants';
import { batchFileKey } from '@kindred/domain/batch-recommendations';
import { newId } from '@kindred/domain/ids';
import { jobFolder } from '@kindred/domain/jobs';
import type { ObjectStore } from '@kindred/service/object-store';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { BatchRecommendInput } from '../contract.ts';
import { ERASE_USER, eraseUserWorkflowId, TASK_QUEUES } from '../contract.ts';
import { gatherUserData } from '../gather-user-data.ts';
import { createTrainedTenant, queueBatch, readBatch, readBatchFile, startBatch } from '../testing/batch-world.ts';
import { rankPlainly } from '../testing/rank-plainly.ts';
import { runWorkers } from '../testing/run-workers.ts';
import { openTrainingWorld, type TrainingWorld } from '../testing/training-world.ts';

vi.setConfig({ testTimeout: 240_000 });

let world: TrainingWorld;
let workers: AsyncDisposable;
/** What the store of the workers does before it takes an object. */
let beforePut: (key: string) => Promise<void>;
let [ours, theirs] = [] as Awaited<ReturnType<typeof createTrainedTenant>>[];

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  world = await openTrainingWorld();
  beforePut = async () => undefined;
  const { objects } = world.deps;
  const watched: ObjectStore = {
    ...bindAll(objects),
    put: async (key, bytes) => {
      await beforePut(key);
      await objects.put(key, bytes);
    },
  };
  workers = await runWorkers({ ...world, deps: { ...world.deps, objects: watched } });
  [ours, theirs] = await Promise.all([createTrainedTenant(world), createTrainedTenant(world)]);
}, 400_000);

afterAll(async () => {
  await workers[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

function bindAll(objects: ObjectStore): ObjectStore {
  return {
    put: (...args) => objects.put(...args),
    putFile: (...args) => objects.putFile(...args),
    get: (...args) => objects.get(...args),
    materialize: (...args) => objects.materialize(...args),
    exists: (...args) => objects.exists(...args),
    list: (...args) => objects.list(...args),
    evict: (...args) => objects.evict(...args),
    delete: (...args) => objects.delete(...args),
    ping: () => objects.ping(),
  };
}

const ourTenant = () => ours ?? expect.fail();
const theirTenant = () => theirs ?? expect.fail();

/** Runs a batch until it has ended; its file is kept. */
async function runBatch(input: BatchRecommendInput) {
  await startBatch(world, input);
  await expect
    .poll(async () => (await readBatch(world, input)).row?.finishedAt, { timeout: 60_000 })
    .toEqual(expect.any(Date));
  return readBatch(world, input);
}

/** Many parts of a few users. */
function namedOften(times: number) {
  return Array.from({ length: times }, () => ourTenant().users.map(({ id }) => id)).flat();
}

test('every user of the version gets the best items that the user has not seen, and the tenant alone gets the file', async () => {
  const input = await queueBatch(world, ourTenant());
  const { row, events } = await runBatch(input);
  expect(row).toMatchObject({
    status: 'SUCCEEDED',
    state: { userCount: 40, doneCount: 40, skippedCount: 0, expiresAtMs: expect.any(Number), deletedAtMs: null },
  });
  const lines = await readBatchFile(world, input);
  const wanted = await rankPlainly(world, ourTenant(), row ?? expect.fail());
  expect(lines).toHaveLength(40);
  for (const { userExternalId, items } of lines) {
    expect(items.map(({ externalId }) => externalId)).toEqual(wanted.get(userExternalId));
  }
  expect(await world.deps.objects.list(jobFolder(input))).toEqual([batchFileKey(input)]);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  expect(events.at(-1)?.body).toMatchObject({ kind: 'FINISHED', status: 'SUCCEEDED' });
  const foreign = { ...input, tenantId: theirTenant().tenantId };
  expect(await readBatch(world, foreign)).toEqual({ row: undefined, events: [] });
});

test("a batch of named users writes them alone, and none for another tenant's user", async () => {
  const [first, second] = ourTenant().users;
  const [foreign] = theirTenant().users;
  const userIds = [first, second, foreign].flatMap((user) => user?.id ?? []);
  const input = await queueBatch(world, ourTenant(), { userIds, count: 3 });
  const { row } = await runBatch(input);
  expect(row).toMatchObject({ status: 'SUCCEEDED', state: { userCount: 3, doneCount: 3, skippedCount: 1 } });
  const lines = await readBatchFile(world, input);
  expect(lines.map(({ userExternalId }) => userExternalId)).toEqual([first?.externalId, second?.externalId]);
  expect(lines.map(({ items }) => items.length)).toEqual([3, 3]);
});

test('a batch whose worker fails goes on behind its last part, and no line is lost or twice', async () => {
  const userIds = namedOften(50);
  const input = await queueBatch(world, ourTenant(), { userIds });
  const puts: string[] = [];
  let failures = 2;
  beforePut = async (key) => {
    if (!key.startsWith(jobFolder(input))) return;
    puts.push(key.slice(-1));
    if (key.endsWith('/000002') && failures-- > 0) throw new Error('The disk is full.');
  };
  const { row } = await runBatch(input);
  expect(row).toMatchObject({ status: 'SUCCEEDED', state: { doneCount: 2_000, partCount: 4 } });
  expect(puts).toEqual(['0', '1', '2', '2', '2', '3']);
  const byId = new Map(ourTenant().users.map(({ id, externalId }) => [id, externalId]));
  const lines = await readBatchFile(world, input);
  expect(lines.map(({ userExternalId }) => userExternalId)).toEqual(userIds.map((id) => byId.get(id)));
});

test('a batch that is cancelled stops within ten seconds and leaves no file', async () => {
  const input = await queueBatch(world, ourTenant(), { userIds: namedOften(1_250) });
  beforePut = async (key) => {
    // A slow store, so that there is something to cancel.
    if (key.startsWith(jobFolder(input))) await wait(100);
  };
  const handle = await startBatch(world, input);
  await expect.poll(async () => (await readBatch(world, input)).events.length, { timeout: 60_000 }).toBeGreaterThan(2);
  const askedAt = performance.now();
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  expect(performance.now() - askedAt).toBeLessThan(10_000);
  const { row, events } = await readBatch(world, input);
  expect(row?.status).toBe('CANCELLED');
  expect(events.at(-1)?.body).toMatchObject({ kind: 'FINISHED', status: 'CANCELLED' });
  expect(await world.deps.objects.list(jobFolder(input))).toEqual([]);
});

test('the file of a batch is deleted when its time is over', async () => {
  const input = await queueBatch(world, ourTenant(), { keptForMs: 1 });
  await (await startBatch(world, input)).result();
  const { row } = await readBatch(world, input);
  expect(row).toMatchObject({ status: 'SUCCEEDED', state: { deletedAtMs: expect.any(Number) } });
  expect(await world.deps.objects.list(jobFolder(input))).toEqual([]);
});

test('what batches say of a user is in the copy of the data, and goes with the user: finished, open, and of no other tenant', async () => {
  const { tenantId, accountId, users } = ourTenant();
  const { db, objects } = world.deps;
  const [user] = users;
  if (user === undefined) expect.fail();
  const done = await queueBatch(world, ourTenant());
  const foreign = await queueBatch(world, theirTenant());
  await Promise.all([runBatch(done), runBatch(foreign)]);
  const copy = await gatherUserData(world.deps, { tenantId, userId: user.id });
  const told = copy?.files.find(({ name }) => name === 'jobs/recommendations.jsonl')?.lines ?? [];
  expect(told.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({ batchId: done.jobId, userExternalId: user.externalId }),
  );
  const open = await queueBatch(world, ourTenant(), { userIds: namedOften(1_250) });
  beforePut = async (key) => {
    if (key.startsWith(jobFolder(open))) await wait(1_000);
  };
  const opened = await startBatch(world, open);
  await expect.poll(async () => (await readBatch(world, open)).events.length, { timeout: 60_000 }).toBeGreaterThan(1);

  const ref = { tenantId, erasureId: newId('Erasure') };
  const requestedBy = { kind: 'account', id: accountId } as const;
  const subject = randomBytes(32);
  await withTenant(db, tenantId, (tx) =>
    createErasure(tx, { id: ref.erasureId, subject, externalId: user.externalId, retrain: false, requestedBy }),
  );
  const workflowId = eraseUserWorkflowId(ref);
  await world.client.workflow.execute(ERASE_USER, { taskQueue: TASK_QUEUES.workflows, workflowId, args: [ref] });

  await expect(opened.result()).rejects.toThrow();
  for (const input of [done, open]) {
    expect(await objects.list(jobFolder(input))).toEqual([]);
    const { row } = await readBatch(world, input);
    expect(row).toMatchObject({ order: { userIds: [] }, state: { deletedAtMs: expect.any(Number) } });
  }
  expect((await readBatch(world, open)).events.at(-1)?.body).toMatchObject({ kind: 'FINISHED', status: 'CANCELLED' });
  const { erasure, lines } = await withTenant(db, tenantId, async (tx) => {
    return { erasure: await getErasure(tx, ref.erasureId), lines: await listReceiptLines(tx, ref.erasureId) };
  });
  expect(erasure.sealedAt).not.toBeNull();
  const scopes = lines.filter(({ store }) => store === 'JOB_FILES').map(({ scope }) => scope);
  expect(scopes).toEqual(expect.arrayContaining([done.jobId, open.jobId]));
  expect(await readBatchFile(world, foreign)).toHaveLength(40);
});
