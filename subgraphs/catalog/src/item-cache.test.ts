import type { Db } from '@kindred/db/client';
import { findItemsByExternalIds, upsertItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { ITEMS_CHANGED_TOPIC, writeItemsChanged } from '@kindred/domain/catalog-events';
import { type ItemId, newId, type TenantId } from '@kindred/domain/ids';
import { connectEventBus, type EventBus } from '@kindred/service/event-bus';
import { createLogger } from '@kindred/service/logger';
import { openCuttableRedis } from '@kindred/testing/cuttable-redis';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test, vi } from 'vitest';
import { createItemCache, type ItemCache } from './item-cache.ts';

const logger = createLogger('catalog', 'silent');

const clock = () => performance.now();

async function openCache(db: Db, { redisUrl = testInfrastructure().redisUrl, maxBytes = 2 ** 20, now = clock } = {}) {
  const events: EventBus = connectEventBus(redisUrl);
  const cache = createItemCache({ db, events, logger, maxBytes, now });
  return {
    cache,
    [Symbol.asyncDispose]: async () => {
      cache.close();
      await events.close();
    },
  };
}

async function write(db: Db, tenantId: TenantId, title: string): Promise<ItemId> {
  return await withTenant(db, tenantId, async (tx) => {
    await upsertItems(tx, [{ externalId: 'lamp', title, categories: [], properties: {} }]);
    const [item] = await findItemsByExternalIds(tx, ['lamp']);
    if (item === undefined) throw new Error('The item was not written.');
    return item.id;
  });
}

/** How many caches hear of changes. */
async function heardBy(redisUrl: string): Promise<number> {
  const events = connectEventBus(redisUrl);
  try {
    return await events.publish(ITEMS_CHANGED_TOPIC, writeItemsChanged(newId('Tenant'), []));
  } finally {
    await events.close();
  }
}

async function titleOf(cache: ItemCache, tenantId: TenantId, id: ItemId): Promise<string | undefined> {
  return (await cache.find(tenantId, [id])).get(id)?.title;
}

test('an item that was read is not read again, until it is forgotten; then all replicas read it anew', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  await using here = await openCache(db);
  await using there = await openCache(db);
  const id = await write(db, ours.tenantId, 'One');
  for (const { cache } of [here, there]) {
    await vi.waitFor(async () => {
      await cache.find(ours.tenantId, [id]);
      const query = vi.spyOn(db.prisma, '$transaction');
      expect(await titleOf(cache, ours.tenantId, id)).toBe('One');
      const count = query.mock.calls.length;
      query.mockRestore();
      expect(count).toBe(0);
    });
  }
  await write(db, ours.tenantId, 'Two');
  await here.cache.forget(ours.tenantId, [id]);
  expect(await titleOf(here.cache, ours.tenantId, id)).toBe('Two');
  await expect.poll(() => titleOf(there.cache, ours.tenantId, id)).toBe('Two');
});

test("another tenant's item is not found, though it is in memory", async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  await using opened = await openCache(db);
  const id = await write(db, ours.tenantId, 'Ours');
  expect(await titleOf(opened.cache, ours.tenantId, id)).toBe('Ours');
  expect(await titleOf(opened.cache, theirs.tenantId, id)).toBeUndefined();
  expect(await titleOf(opened.cache, ours.tenantId, id)).toBe('Ours');
});

test('requests that miss at once share a transaction, each with its own items', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  await using opened = await openCache(db, { maxBytes: 0 });
  const [mine, other] = [await write(db, ours.tenantId, 'Ours'), await write(db, theirs.tenantId, 'Theirs')];
  const query = vi.spyOn(db.prisma, '$transaction');
  const asked = Array.from({ length: 20 }, () => titleOf(opened.cache, ours.tenantId, mine));
  const foreign = titleOf(opened.cache, theirs.tenantId, other);
  expect(await Promise.all(asked)).toEqual(Array(20).fill('Ours'));
  expect(await foreign).toBe('Theirs');
  expect(query.mock.calls.length).toBe(3);
  query.mockRestore();
});

test('without Redis a change of this replica is seen at once', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  await using opened = await openCache(db, { redisUrl: 'redis://127.0.0.1:1' });
  const id = await write(db, ours.tenantId, 'One');
  expect(await titleOf(opened.cache, ours.tenantId, id)).toBe('One');
  await write(db, ours.tenantId, 'Two');
  await opened.cache.forget(ours.tenantId, [id]);
  expect(await titleOf(opened.cache, ours.tenantId, id)).toBe('Two');
});

test('without Redis items stay in memory, and what others change is seen after two seconds', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  let time = 0;
  await using opened = await openCache(db, { redisUrl: 'redis://127.0.0.1:1', now: () => time });
  const { cache } = opened;
  const id = await write(db, ours.tenantId, 'One');
  const other = await write(db, theirs.tenantId, 'Theirs');
  const ourTitle = () => titleOf(cache, ours.tenantId, id);
  const ourItem = async () => (await cache.find(ours.tenantId, [id])).get(id);
  const read = await ourItem();
  for (let round = 0; round < 5; round++) {
    time += 2_000;
    expect(await ourItem()).toBe(read);
  }
  expect(read?.title).toBe('One');
  expect(await titleOf(cache, theirs.tenantId, other)).toBe('Theirs');
  await write(db, ours.tenantId, 'Two');
  await write(db, theirs.tenantId, 'Changed');
  expect(await ourTitle()).toBe('One');
  time += 2_000;
  expect(await ourTitle()).toBe('Two');
  expect(await titleOf(cache, theirs.tenantId, other)).toBe('Changed');
});

test('when Redis goes away items stay in memory, and what changed just before, during and just after is seen', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  await using redis = await openCuttableRedis();
  let time = 0;
  await using opened = await openCache(db, { redisUrl: redis.url, now: () => time });
  const { cache } = opened;
  const id = await write(db, ours.tenantId, 'One');
  const other = await write(db, theirs.tenantId, 'Theirs');
  const theirItem = async () => (await cache.find(theirs.tenantId, [other])).get(other);
  // Read again until it is heard that nothing was missed.
  await vi.waitFor(async () => {
    const [first, second] = [await theirItem(), await theirItem()];
    expect(first).toBe(second);
    time += 2_000;
    expect(await theirItem()).toBe(first);
  });
  const kept = await theirItem();
  expect(await titleOf(cache, ours.tenantId, id)).toBe('One');
  await write(db, ours.tenantId, 'Two');
  redis.cut();
  await expect.poll(() => titleOf(cache, ours.tenantId, id)).toBe('Two');
  expect(await theirItem()).toBe(kept);
  await write(db, ours.tenantId, 'Three');
  time += 2_000;
  expect(await titleOf(cache, ours.tenantId, id)).toBe('Three');
  await write(db, ours.tenantId, 'Four');
  await redis.mend();
  await expect.poll(() => heardBy(redis.url), { timeout: 10_000 }).toBeGreaterThan(0);
  time += 2_000;
  expect(await titleOf(cache, ours.tenantId, id)).toBe('Four');
  expect(await theirItem()).toBe(kept);
});

test('without Redis nothing in memory outlives a minute, however seldom it is asked for', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  let time = 0;
  await using opened = await openCache(db, { redisUrl: 'redis://127.0.0.1:1', now: () => time });
  const id = await write(db, ours.tenantId, 'One');
  expect(await titleOf(opened.cache, ours.tenantId, id)).toBe('One');
  await write(db, ours.tenantId, 'Two');
  time += 62_001;
  expect(await titleOf(opened.cache, ours.tenantId, id)).toBe('Two');
});
