import { createTwoTenants } from '@kindred/testing/two-tenants';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { expect, test } from 'vitest';
import { type ExportedInteraction, exportInteractions } from './interaction-export.ts';
import { type NewInteraction, recordInteractions } from './interactions.ts';
import { withTenant } from './tenants.ts';

function views(count: number, prefix: string): NewInteraction[] {
  return Array.from({ length: count }, (_, n) => ({
    eventId: `${prefix}-${n}`,
    userExternalId: `user-${n % 40}`,
    itemExternalId: `item-${n % 20}`,
    type: 'CLICK',
    value: n,
    occurredAt: new Date(1_700_000_000_000 - n),
  }));
}

test('every interaction of the tenant comes once, by user, time and id, in batches', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const { interactionCount } = await seedCheckerboard(db, ours.tenantId);
  await seedCheckerboard(db, theirs.tenantId);
  for (const prefix of ['a', 'b', 'c']) {
    await withTenant(db, ours.tenantId, (tx) => recordInteractions(tx, views(5_000, prefix)));
  }
  const sizes: number[] = [];
  const rows: ExportedInteraction[] = [];
  for await (const batch of exportInteractions(db, ours.tenantId)) {
    sizes.push(batch.length);
    rows.push(...batch);
  }
  expect(sizes).toEqual([10_000, 5_000 + interactionCount]);
  const order = (a: ExportedInteraction, b: ExportedInteraction): number =>
    a.userId === b.userId ? a.occurredAt.getTime() - b.occurredAt.getTime() : a.userId < b.userId ? -1 : 1;
  expect(rows).toEqual(rows.toSorted(order));
  expect(new Set(rows.map((row) => row.type))).toEqual(new Set(['VIEW', 'CLICK']));
});

test('what is recorded while an export runs is not in it', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  await seedCheckerboard(db, ours.tenantId);
  for (const prefix of ['a', 'b', 'c']) {
    await withTenant(db, ours.tenantId, (tx) => recordInteractions(tx, views(4_000, prefix)));
  }
  let count = 0;
  for await (const batch of exportInteractions(db, ours.tenantId)) {
    await withTenant(db, ours.tenantId, (tx) => recordInteractions(tx, views(10, `late-${count}`)));
    count += batch.length;
  }
  expect(count).toBe(12_000 + 360);
});

test('an export that is left half-way gives its connection back', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  await seedCheckerboard(db, ours.tenantId);
  for (let round = 0; round < 15; round += 1) {
    for await (const batch of exportInteractions(db, ours.tenantId)) {
      expect(batch).toHaveLength(360);
      break;
    }
  }
  expect(db.pool.totalCount - db.pool.idleCount).toBe(0);
});

test('a tenant without interactions exports no batch', async () => {
  await using world = await createTwoTenants();
  const first = await exportInteractions(world.db, world.theirs.tenantId).next();
  expect(first).toEqual({ done: true, value: undefined });
});
