import { randomBytes } from 'node:crypto';
import { findReceiptProblem, listReceiptLines } from '@kindred/db/erasure-receipts';
import { createErasure, getErasure } from '@kindred/db/erasures';
import { recordInteractions } from '@kindred/db/interactions';
import { listWholeVersions } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { listTrainingRuns } from '@kindred/db/training-runs';
import { countUserRows } from '@kindred/db/user-data';
import { findUserByExternalId } from '@kindred/db/users';
import { type ErasureId, newId, type TenantId, type UserId } from '@kindred/domain/ids';
import type { ErasureCheck, ErasureRef } from '@kindred/domain/user-events';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test, vi } from 'vitest';
import { ERASE_USER, eraseUserWorkflowId, TASK_QUEUES, VERIFY_ERASURE } from '../contract.ts';
import { findFilesHolding } from '../erased-files.ts';
import { queueRun, readRun, SMALL, startRun, type TrainingWorld } from '../testing/training-world.ts';
import { openWorldAroundTests } from '../testing/world-around-tests.ts';

vi.setConfig({ testTimeout: 240_000 });

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

interface Person {
  tenantId: TenantId;
  userId: UserId;
}

/** A tenant that has this user among others, with what Redis keeps of the user's history. */
async function createTenantWith(externalId: string): Promise<Person & { accountId: string }> {
  const { db, redis } = world.deps;
  const { tenantId, accountId } = await createTestTenant(db);
  await seedCheckerboard(db, tenantId, { userCount: 40, itemCount: 40 });
  await record(tenantId, externalId);
  const user = await withTenant(db, tenantId, (tx) => findUserByExternalId(tx, externalId));
  if (user === null) throw new Error(`The tenant has no user ${externalId}.`);
  await redis.set(`kindred:history:run:{${tenantId}:${externalId}}:token`, `token|${user.id}`);
  return { tenantId, userId: user.id, accountId };
}

async function record(tenantId: TenantId, userExternalId: string): Promise<void> {
  const items = ['item-0', 'item-2', 'item-4', 'item-6', 'item-8', 'item-10'];
  const rows = items.map((itemExternalId) => {
    return { userExternalId, itemExternalId, type: 'VIEW' as const, occurredAt: new Date() };
  });
  await withTenant(world.deps.db, tenantId, (tx) => recordInteractions(tx, rows));
}

async function ask(
  { tenantId, accountId }: { tenantId: TenantId; accountId: string },
  externalId: string,
  retrain = false,
) {
  const erasureId = newId('Erasure');
  const requestedBy = { kind: 'account', id: accountId as never } as const;
  const subject = randomBytes(32);
  await withTenant(world.deps.db, tenantId, (tx) =>
    createErasure(tx, { id: erasureId, subject, externalId, retrain, requestedBy }),
  );
  return { tenantId, erasureId };
}

const erase = (ref: ErasureRef) =>
  world.client.workflow.execute(ERASE_USER, {
    taskQueue: TASK_QUEUES.workflows,
    workflowId: eraseUserWorkflowId(ref),
    args: [ref],
  });

const verify = (ref: ErasureRef): Promise<ErasureCheck[]> =>
  world.client.workflow.execute(VERIFY_ERASURE, {
    taskQueue: TASK_QUEUES.workflows,
    workflowId: `${eraseUserWorkflowId(ref)}/verification`,
    args: [ref],
  }) as Promise<ErasureCheck[]>;

const readReceipt = (tenantId: TenantId, erasureId: ErasureId) =>
  withTenant(world.deps.db, tenantId, async (tx) => {
    return { erasure: await getErasure(tx, erasureId), lines: await listReceiptLines(tx, erasureId) };
  });

/** The tables with a row that holds the text anywhere, as a dump of the database would. */
async function findInTables(tenantId: TenantId, text: string): Promise<string[]> {
  return withTenant(world.deps.db, tenantId, async (tx) => {
    const tables = await tx.client.$queryRaw<{ name: string }[]>`
      SELECT table_name AS name FROM information_schema.columns
       WHERE table_schema = 'public' AND column_name = 'tenant_id' AND table_name NOT LIKE 'interactions_p%'`;
    expect(tables.length).toBeGreaterThan(15);
    const found: string[] = [];
    for (const { name } of tables) {
      const rows = await tx.client.$queryRawUnsafe<unknown[]>(
        `SELECT FROM "${name}" t WHERE position($1 in t::text) > 0 LIMIT 1`,
        text,
      );
      if (rows.length > 0) found.push(name);
    }
    return found;
  });
}

/** The keys of Redis that hold the text, in their name or value, and belong to the tenant. */
async function findInRedis(tenantId: TenantId, text: string): Promise<string[]> {
  const { redis } = world.deps;
  const found: string[] = [];
  for (const key of await redis.keys(`*${tenantId}*`)) {
    const value = (await redis.type(key)) === 'list' ? (await redis.lrange(key, 0, -1)).join() : await redis.get(key);
    if (`${key} ${value}`.includes(text)) found.push(key);
  }
  return found;
}

async function trainOn(tenantId: TenantId) {
  const input = await queueRun(world, tenantId);
  await (await startRun(world, input)).result();
  return input;
}

test('an erased user is gone from rows, Redis and the files of every version, and another tenant keeps its own', async () => {
  const canary = `canary-${randomBytes(6).toString('hex')}`;
  const [ours, theirs] = [await createTenantWith(canary), await createTenantWith(canary)];
  await Promise.all([trainOn(ours.tenantId), trainOn(theirs.tenantId)]);
  const { db, objects } = world.deps;
  expect((await findFilesHolding(objects, ours)).length).toBeGreaterThan(0);
  const versions = await withTenant(db, ours.tenantId, listWholeVersions);

  const ref = await ask(ours, canary);
  await erase(ref);

  expect(await findInTables(ours.tenantId, canary)).toEqual([]);
  expect(await findInRedis(ours.tenantId, canary)).toEqual([]);
  expect(await findInRedis(ours.tenantId, ours.userId)).toEqual([]);
  expect(await findFilesHolding(objects, ours)).toEqual([]);
  expect(await withTenant(db, theirs.tenantId, (tx) => countUserRows(tx, theirs.userId))).toContainEqual({
    table: 'interactions',
    count: 6,
  });
  expect((await findFilesHolding(objects, theirs)).length).toBeGreaterThan(0);
  expect((await findInRedis(theirs.tenantId, canary)).length).toBe(1);

  const { erasure, lines } = await readReceipt(ours.tenantId, ref.erasureId);
  expect(erasure).toMatchObject({ externalId: null, sealedAt: expect.any(Date), userId: ours.userId });
  const said = lines.map(({ store, scope, rowCount }) => `${store} ${scope} ${rowCount}`);
  expect(said).toEqual(expect.arrayContaining(['POSTGRES interactions 6', 'POSTGRES users 1', 'REDIS histories 1']));
  for (const { id } of versions) {
    expect(said).toContain(`MODEL_VERSION ${id} 1`);
    expect(said).toContain(`INDEX ${id} 0`);
  }
  expect(findReceiptProblem(erasure, lines)).toBeNull();
  expect((await verify(ref)).filter(({ heldCount }) => heldCount > 0)).toEqual([]);

  // Back again, the same person is somebody new.
  await record(ours.tenantId, canary);
  const back = await withTenant(db, ours.tenantId, (tx) => findUserByExternalId(tx, canary));
  expect(back?.id).not.toBe(ours.userId);
  expect((await verify(ref)).filter(({ heldCount }) => heldCount > 0)).toEqual([]);
});

test('a receipt that was changed, cut or lengthened is found out', async () => {
  const ours = await createTenantWith('somebody');
  const ref = await ask(ours, 'somebody');
  await erase(ref);
  const { erasure, lines } = await readReceipt(ours.tenantId, ref.erasureId);
  expect(lines.length).toBeGreaterThan(3);
  const [first, second, ...rest] = lines;
  if (first === undefined || second === undefined) throw new Error('Wanted lines, got none.');
  expect(findReceiptProblem(erasure, [{ ...first, rowCount: 0 }, second, ...rest])).toBe('line 1 was changed');
  expect(findReceiptProblem(erasure, [first, ...rest])).toBe('line 2 is missing: the next one is 3');
  expect(findReceiptProblem(erasure, lines.slice(0, -1))).toBe('it does not end as it was sealed');
  expect(findReceiptProblem({ ...erasure, subject: randomBytes(32) }, lines)).toBe('line 1 was changed');
});

test('a training that has read the user publishes nothing, and begins anew without the user', async () => {
  const canary = `canary-${randomBytes(6).toString('hex')}`;
  const ours = await createTenantWith(canary);
  const input = await queueRun(world, ours.tenantId, { ...SMALL, dimension: 64, epochs: 100_000, patience: 100_000 });
  const training = await startRun(world, input);
  const epochs = async () =>
    (await readRun(world, input)).events.filter(({ body }) => body.kind === 'EPOCH_FINISHED').length;
  await expect.poll(epochs, { timeout: 60_000, interval: 50 }).toBeGreaterThan(2);
  expect((await findFilesHolding(world.deps.objects, ours)).some((key) => key.includes('/snapshots/'))).toBe(true);

  const ref = await ask(ours, canary);
  const erasing = erase(ref);
  await expect(training.result()).rejects.toThrow();
  await erasing;

  const { run, events } = await readRun(world, input);
  expect(run?.status).toBe('CANCELLED');
  expect(events.at(-1)?.body).toMatchObject({ kind: 'FINISHED', message: expect.stringContaining('begins anew') });
  expect(await findFilesHolding(world.deps.objects, ours)).toEqual([]);
  const { lines } = await readReceipt(ours.tenantId, ref.erasureId);
  expect(lines.map(({ store, scope }) => `${store} ${scope}`)).toContain(`RUN_FILES ${input.runId}`);
  const runs = await withTenant(world.deps.db, ours.tenantId, (tx) => listTrainingRuns(tx, { first: 10 }));
  expect(runs.map(({ id }) => id)).toHaveLength(2);
  expect(runs[0]?.status).toMatch(/QUEUED|RUNNING|SUCCEEDED/);
});
