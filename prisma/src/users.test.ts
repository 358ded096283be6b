import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import { withTenant } from './tenants.ts';
import { findUserByExternalId, findUsers, listUsers } from './users.ts';

test('users are found by either id in their tenant only', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  await seedCheckerboard(db, ours.tenantId, { userCount: 3, itemCount: 6 });
  const user = await withTenant(db, ours.tenantId, (tx) => findUserByExternalId(tx, 'user-1'));
  expect(user).toMatchObject({ externalId: 'user-1', tenantId: ours.tenantId });
  const ids = user ? [user.id] : [];
  expect(await withTenant(db, ours.tenantId, (tx) => findUsers(tx, ids))).toEqual([user]);
  expect(await withTenant(db, theirs.tenantId, (tx) => findUsers(tx, ids))).toEqual([]);
  expect(await withTenant(db, theirs.tenantId, (tx) => findUserByExternalId(tx, 'user-1'))).toBeNull();
});

test('users are listed by id, page after page, for their tenant only', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  await seedCheckerboard(db, ours.tenantId, { userCount: 7, itemCount: 6 });
  await withTenant(db, ours.tenantId, async (tx) => {
    const first = await listUsers(tx, { first: 5 });
    const rest = await listUsers(tx, { first: 5, afterId: first.at(-1)?.id });
    const ids = [...first, ...rest].map((user) => user.id);
    expect(ids).toEqual([...new Set(ids)].toSorted());
    expect(ids).toHaveLength(7);
  });
  expect(await withTenant(db, theirs.tenantId, (tx) => listUsers(tx, { first: 5 }))).toEqual([]);
});
