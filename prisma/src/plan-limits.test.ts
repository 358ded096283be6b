import { PLANS } from '@kindred/domain/plans';
import { pretendUse } from '@kindred/testing/pretend-use';
import { createTestDatabase } from '@kindred/testing/test-database';
import { createTestModel, createTestRun } from '@kindred/testing/test-model';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test } from 'vitest';
import { recordInteractions } from './interactions.ts';
import { upsertItems } from './items.ts';
import { createPlanGuard, PlanLimitError, readStored } from './plan-limits.ts';
import { withTenant } from './tenants.ts';

import { changePlan, listUsageDays } from './usage.ts';

const MONTH = new Date().toISOString().slice(0, 7);
const itemsOf = (...names: string[]) =>
  names.map((externalId) => ({ externalId, title: externalId, categories: [], properties: {} }));
const view = (userExternalId: string, itemExternalId: string) =>
  ({ userExternalId, itemExternalId, type: 'VIEW', occurredAt: new Date() }) as const;

/** Two tenants, of which ours is on FREE with so much already there. */
async function createWorld(use: Parameters<typeof pretendUse>[2]) {
  const database = await createTestDatabase();
  const { db } = database;
  const [ours, theirs] = [await createTestTenant(db, 'Ours'), await createTestTenant(db, 'Theirs')];
  await pretendUse(database, ours.tenantId, use);
  const write = (tenantId: typeof ours.tenantId, ...names: string[]) =>
    withTenant(db, tenantId, (tx) => guard.within(tx, 'items', () => upsertItems(tx, itemsOf(...names))));
  const guard = createPlanGuard();
  const stored = (tenantId: typeof ours.tenantId) =>
    withTenant(db, tenantId, async (tx) => (await readStored(tx)).counts);
  return {
    db,
    guard,
    write,
    stored,
    ours: ours.tenantId,
    theirs: theirs.tenantId,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test('what is stored is counted where it is written, for every tenant by itself', async () => {
  await using world = await createWorld({});
  const { db, ours, theirs } = world;
  await world.write(ours, 'lamp', 'chair');
  await world.write(ours, 'lamp');
  await world.write(theirs, 'table');
  const record = (...rows: ReturnType<typeof view>[]) => withTenant(db, ours, (tx) => recordInteractions(tx, rows));
  await record(view('ann', 'lamp'), view('bob', 'lamp'), view('bob', 'unknown'));
  expect(await world.stored(ours)).toEqual({ items: 2, interactions: 2 });
  expect(await world.stored(theirs)).toEqual({ items: 1, interactions: 0 });
  expect(await withTenant(db, ours, (tx) => listUsageDays(tx, MONTH))).toMatchObject([{ interactions: 2 }]);
  expect(await withTenant(db, theirs, (tx) => listUsageDays(tx, MONTH))).toEqual([]);
});

test('what is deleted, by itself or with its item or user, is stored no more, and stays recorded', async () => {
  await using world = await createWorld({});
  const { db, ours } = world;
  await world.write(ours, 'lamp', 'chair');
  const views = [view('ann', 'lamp'), view('ann', 'chair'), view('bob', 'lamp'), view('bob', 'chair')];
  await withTenant(db, ours, (tx) => recordInteractions(tx, views));
  await withTenant(db, ours, (tx) => tx.client.user.deleteMany({ where: { externalId: 'ann' } }));
  expect(await world.stored(ours)).toEqual({ items: 2, interactions: 2 });
  await withTenant(db, ours, (tx) => tx.client.item.deleteMany({ where: { externalId: 'lamp' } }));
  expect(await world.stored(ours)).toEqual({ items: 1, interactions: 1 });
  expect(await withTenant(db, ours, (tx) => listUsageDays(tx, MONTH))).toMatchObject([{ interactions: 4 }]);
});

test('of writers at once the plan lets exactly as many through as it has room for', async () => {
  await using world = await createWorld({ items: PLANS.FREE.itemCount - 7 });
  const names = Array.from({ length: 20 }, (_, count) => `item-${count}`);
  const written = await Promise.allSettled(names.map((name) => world.write(world.ours, name)));
  const refused = written.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  expect(refused).toHaveLength(13);
  for (const reason of refused) expect(reason).toBeInstanceOf(PlanLimitError);
  expect(await world.stored(world.ours)).toMatchObject({ items: PLANS.FREE.itemCount });
  await world.write(world.theirs, ...names);
});

test('a batch that does not fit is refused whole, with what was allowed, there and wanted', async () => {
  await using world = await createWorld({ items: PLANS.FREE.itemCount - 1 });
  await expect(world.write(world.ours, 'lamp', 'chair')).rejects.toThrow(
    'The plan FREE allows 10,000 items: there are 9,999, and 2 more were wanted.',
  );
  expect(await world.stored(world.ours)).toMatchObject({ items: 9_999 });
});

test('a tenant that has all that its plan allows goes on replacing it', async () => {
  await using world = await createWorld({ items: PLANS.FREE.itemCount - 1 });
  await world.write(world.ours, 'lamp');
  await world.write(world.ours, 'lamp');
  await expect(world.write(world.ours, 'lamp', 'chair')).rejects.toThrow(PlanLimitError);
});

test('a greater plan lets on at once whom the smaller one stopped', async () => {
  await using world = await createWorld({ items: PLANS.FREE.itemCount });
  await expect(world.write(world.ours, 'lamp')).rejects.toThrow(PlanLimitError);
  expect(await withTenant(world.db, world.ours, (tx) => changePlan(tx, 'GROWTH'))).toBe('FREE');
  await world.write(world.ours, 'lamp');
});

test('of trainings at once the month’s last one begins, and another tenant’s do not count', async () => {
  await using world = await createWorld({ trainings: PLANS.FREE.trainingsPerMonth - 1 });
  const { db, ours, theirs } = world;
  const start = (tenantId: typeof ours, name: string) =>
    withTenant(db, tenantId, async (tx) => createTestRun(tx, await createTestModel(tx, name)));
  const started = await Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => start(ours, name)));
  expect(started.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
  for (const result of started) {
    if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(PlanLimitError);
  }
  await start(theirs, 'a');
});
