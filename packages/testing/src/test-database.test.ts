import { countCatalog } from '@kindred/db/catalog-counts';
import { findItemsByExternalIds } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { seedCheckerboard } from './checkerboard.ts';
import { testInfrastructure } from './infrastructure.ts';
import { createTestDatabase } from './test-database.ts';
import { createTestTenant } from './test-tenant.ts';
import { createTwoTenants } from './two-tenants.ts';

async function databaseNames(): Promise<string[]> {
  const client = new Client({ connectionString: testInfrastructure().postgresUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
    return rows.map((row) => row.datname);
  } finally {
    await client.end();
  }
}

test('a test database is migrated, open to kindred_app, and gone after its disposal', async () => {
  let name: string;
  {
    await using database = await createTestDatabase();
    name = new URL(database.appUrl).pathname.slice(1);
    await createTestTenant(database.db);
    expect(await databaseNames()).toContain(name);
  }
  expect(await databaseNames()).not.toContain(name);
});

test('databases that are made together are apart', async () => {
  const databases = await Promise.all(Array.from({ length: 4 }, createTestDatabase));
  expect(new Set(databases.map((database) => database.ownerUrl)).size).toBe(4);
  await Promise.all(databases.map((database) => database[Symbol.asyncDispose]()));
});

test('a checkerboard holds each user to one taste and withholds one item of it', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const board = await seedCheckerboard(db, ours.tenantId);
  expect(await withTenant(db, ours.tenantId, countCatalog)).toEqual({
    itemCount: 20,
    userCount: 40,
    interactionCount: 360,
  });
  expect(board.interactionCount).toBe(360);
  expect(board.withheld.get('user-3')).toBe('item-3');
  const mixed = await withTenant(
    db,
    ours.tenantId,
    (tx) => tx.client.$queryRaw`
      SELECT count(*)::int AS count FROM interactions i JOIN users u USING (tenant_id) JOIN items t USING (tenant_id)
       WHERE u.id = i.user_id AND t.id = i.item_id
         AND (substr(u.external_id, 6)::int + substr(t.external_id, 6)::int) % 2 = 1`,
  );
  expect(mixed).toEqual([{ count: 0 }]);
  const [item] = await withTenant(db, ours.tenantId, (tx) => findItemsByExternalIds(tx, ['item-3']));
  expect(item).toMatchObject({ id: board.itemIds.get('item-3'), categories: ['odd'] });
});
