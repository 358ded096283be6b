import { createTestDatabase } from '@kindred/testing/test-database';
import { createTestTenant, type TestTenant } from '@kindred/testing/test-tenant';
import { expect, test } from 'vitest';
import type { Db } from './client.ts';
import { findItemsByExternalIds, upsertItems } from './items.ts';
import { findTenants, withTenant } from './tenants.ts';

const TENANTS = 64;
// The whole figure is KINDRED_POOL_REQUESTS=20000; the default fits a continuous build.
const REQUESTS_PER_TENANT = Number(process.env.KINDRED_POOL_REQUESTS ?? 25);
const ABORTED_SHARE = 0.1;

class Aborted extends Error {}

const isAborted = (number: number, position: number) => (number + position) % (1 / ABORTED_SHARE) === 0;

/** One request of a tenant: a write, a read of everything it can see, and in one of ten an abort in flight. */
async function request(
  db: Db,
  tenant: TestTenant,
  { number, aborts }: { number: number; aborts: boolean },
): Promise<'done' | 'aborted'> {
  const { tenantId } = tenant;
  try {
    return await withTenant(db, tenantId, async (tx) => {
      const title = `canary ${tenantId}`;
      await upsertItems(tx, [{ externalId: `item-${number % 5}`, title, categories: [], properties: {} }]);
      if (aborts && number % 2 === 0) throw new Aborted();
      // The connection itself dies under the transaction, as when a server is lost.
      if (aborts) await tx.client.$executeRaw`SELECT pg_terminate_backend(pg_backend_pid())`;
      const [tenants, items, foreign] = [
        await findTenants(tx, [tenantId]),
        await findItemsByExternalIds(tx, ['item-0', 'item-1', 'item-2', 'item-3', 'item-4']),
        await tx.client.$queryRaw<
          { count: number }[]
        >`SELECT count(*)::int FROM items WHERE tenant_id <> ${tenantId}::uuid`,
      ];
      expect(tenants.map(({ id }) => id)).toEqual([tenantId]);
      expect(foreign).toEqual([{ count: 0 }]);
      for (const item of items) expect(item.title).toBe(title);
      return 'done' as const;
    });
  } catch (error) {
    // On a machine that is busy elsewhere the pool gives no connection in time: refused, and so far unasked.
    if (isUnstarted(error)) return await request(db, tenant, { number, aborts });
    if (aborts) return 'aborted';
    throw error;
  }
}

function isUnstarted(error: unknown): boolean {
  return error instanceof Error && error.message.includes('Unable to start a transaction in the given time');
}

test('64 tenants on one pool of connections, of whose requests one in ten dies in flight, see no foreign byte', {
  timeout: 60_000 + TENANTS * REQUESTS_PER_TENANT * 80,
}, async () => {
  await using database = await createTestDatabase();
  const { db } = database;
  const names = Array.from({ length: TENANTS }, (_, count) => `Tenant ${count}`);
  const tenants = await Promise.all(names.map((name) => createTestTenant(db, name)));
  const [outcomes, wanted] = [
    { done: 0, aborted: 0 },
    { done: 0, aborted: 0 },
  ];
  // One request of each tenant at a time: six times as many as the pool has connections.
  await Promise.all(
    tenants.map(async (tenant, position) => {
      for (let number = 0; number < REQUESTS_PER_TENANT; number++) {
        // Tenants die at different times: all at once would be a restart of the server.
        const aborts = isAborted(number, position);
        outcomes[await request(db, tenant, { number, aborts })] += 1;
        wanted[aborts ? 'aborted' : 'done'] += 1;
      }
    }),
  );
  expect(outcomes).toEqual(wanted);
  expect(wanted.aborted / (wanted.aborted + wanted.done)).toBeCloseTo(ABORTED_SHARE, 1);
  expect((await db.pool.query('SELECT FROM items')).rowCount).toBe(0);
});
