import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import type { Db } from './client.ts';
import { withIdempotencyKey } from './idempotency.ts';
import { upsertItems } from './items.ts';
import { withTenant } from './tenants.ts';

type Tenant = Parameters<typeof withTenant>[1];

interface Call {
  key?: string;
  request?: unknown;
  operation?: string;
}

/** A mutation that writes one more item at each run and answers with the number of items. */
async function addItem(db: Db, tenantId: Tenant, call: Call = {}): Promise<{ items: number }> {
  const { key = 'k1', request = { a: 1, b: [2] }, operation = 'addItem' } = call;
  return withTenant(db, tenantId, (tx) =>
    withIdempotencyKey(tx, { operation, key, request }, async () => {
      const row = { externalId: crypto.randomUUID(), title: 'Lamp', categories: [], properties: {} };
      await upsertItems(tx, [row]);
      return { items: await tx.client.item.count() };
    }),
  );
}

test('100 concurrent calls with one key have one effect and one answer', async () => {
  await using world = await createTwoTenants();
  const answers = await Promise.all(Array.from({ length: 100 }, () => addItem(world.db, world.ours.tenantId)));
  expect(new Set(answers.map((answer) => answer.items))).toEqual(new Set([1]));
  expect(await withTenant(world.db, world.ours.tenantId, (tx) => tx.client.item.count())).toBe(1);
});

test('a repeat whose fields come in another order gets the first answer', async () => {
  await using world = await createTwoTenants();
  await addItem(world.db, world.ours.tenantId);
  expect(await addItem(world.db, world.ours.tenantId, { request: { b: [2], a: 1 } })).toEqual({ items: 1 });
});

test('the same key with another request is an error', async () => {
  await using world = await createTwoTenants();
  await addItem(world.db, world.ours.tenantId);
  const other = addItem(world.db, world.ours.tenantId, { request: { a: 2 } });
  await expect(other).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
});

test('other keys, operations and tenants are calls of their own', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  await addItem(db, ours.tenantId);
  expect(await addItem(db, ours.tenantId, { key: 'k2' })).toEqual({ items: 2 });
  expect(await addItem(db, ours.tenantId, { operation: 'other' })).toEqual({ items: 3 });
  expect(await addItem(db, theirs.tenantId, { request: 'another' })).toEqual({ items: 1 });
});

test('a call that failed may be made again', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const input = { operation: 'addItem', key: 'k1', request: { a: 1, b: [2] } };
  const failed = withTenant(db, ours.tenantId, (tx) =>
    withIdempotencyKey(tx, input, () => Promise.reject(new Error('no luck'))),
  );
  await expect(failed).rejects.toThrow('no luck');
  expect(await addItem(db, ours.tenantId)).toEqual({ items: 1 });
});

test('after 24 hours the key is free again', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  await addItem(db, ours.tenantId);
  await withTenant(
    db,
    ours.tenantId,
    (tx) => tx.client.$executeRaw`UPDATE idempotency_records SET created_at = now() - interval '24 hours 1 second'`,
  );
  expect(await addItem(db, ours.tenantId, { request: 'another' })).toEqual({ items: 2 });
});

test.each([[''], ['x'.repeat(256)]])('a key of 0 or 256 characters is refused', async (key) => {
  await using world = await createTwoTenants();
  await expect(addItem(world.db, world.ours.tenantId, { key })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
});
