import { createTestDatabase } from '@kindred/testing/test-database';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { newPoolReport, pressSharedPool } from './test-shared-pool.ts';

const TENANTS = 64;
// The whole figure, 20,000, is `npm run bench:pool`; this fits a continuous build.
const REQUESTS_PER_TENANT = 40;

async function createCrowd(tenantCount: number) {
  const database = await createTestDatabase();
  const names = Array.from({ length: tenantCount }, (_, count) => `Tenant ${count}`);
  const tenants = await Promise.all(names.map((name) => createTestTenant(database.db, name)));
  return {
    ...database,
    tenantIds: tenants.map(({ tenantId }) => tenantId),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test('64 tenants on one pool of connections, of whose requests one in ten dies in flight, see no foreign byte', {
  timeout: 120_000 + TENANTS * REQUESTS_PER_TENANT * 80,
}, async () => {
  await using crowd = await createCrowd(TENANTS);
  const report = newPoolReport();
  await pressSharedPool(crowd.db, crowd.tenantIds, { requestsPerTenant: REQUESTS_PER_TENANT, report });
  const { thrown, cancelled, killed } = report.endings;
  expect(report).toMatchObject({ requests: TENANTS * REQUESTS_PER_TENANT, foreignBytes: 0 });
  expect(thrown + cancelled + killed).toBe(report.requests / 10);
  expect(Math.min(thrown, cancelled, killed)).toBeGreaterThan(0);
  expect((await crowd.db.pool.query('SELECT FROM items')).rowCount).toBe(0);
});

test('the bytes of others are counted as soon as a policy lets them through', async () => {
  await using crowd = await createCrowd(4);
  const owner = new Client({ connectionString: crowd.ownerUrl });
  await owner.connect();
  await owner.query('ALTER POLICY tenant_isolation ON items USING (true)');
  await owner.end();
  const report = newPoolReport();
  await pressSharedPool(crowd.db, crowd.tenantIds, { requestsPerTenant: 10, report });
  expect(report.foreignBytes).toBeGreaterThan(0);
});
