import { createTestDatabase } from '@kindred/testing/test-database';
import { createTestTenant, type TestTenant } from '@kindred/testing/test-tenant';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { appendAuditEvent, listAuditEvents } from './audit-log.ts';
import type { Db } from './client.ts';
import { withTenant } from './tenants.ts';
import { verifyAuditLog, verifyTenantAuditLog } from './verify-audit-log.ts';

async function append(db: Db, { tenantId, accountId }: TestTenant, count: number): Promise<void> {
  const actor = { kind: 'account', id: accountId } as const;
  const events = Array.from({ length: count }, (_, number) =>
    withTenant(db, tenantId, (tx) => appendAuditEvent(tx, { actor, action: 'createApiKey', details: { number } })),
  );
  await Promise.all(events);
}

async function asOwner(ownerUrl: string, statement: string, values: unknown[] = []): Promise<void> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query(statement, values);
  } finally {
    await client.end();
  }
}

test('events that come at once make one whole chain per tenant, and each tenant reads its own', async () => {
  await using database = await createTestDatabase();
  const { db, ownerUrl } = database;
  const [ours, theirs] = [await createTestTenant(db), await createTestTenant(db)];
  await Promise.all([append(db, ours, 20), append(db, theirs, 5)]);
  const verdicts = await verifyAuditLog(ownerUrl);
  expect(verdicts.get(ours.tenantId)).toMatchObject({ eventCount: 20, problem: null });
  expect(await verifyTenantAuditLog(db, ours.tenantId)).toEqual(verdicts.get(ours.tenantId));
  expect(verdicts.get(theirs.tenantId)).toMatchObject({ eventCount: 5, problem: null });
  const seen = await withTenant(db, theirs.tenantId, (tx) => listAuditEvents(tx, { first: 100 }));
  expect(seen.map(({ sequence }) => Number(sequence))).toEqual([5, 4, 3, 2, 1]);
  expect(seen.every(({ tenantId }) => tenantId === theirs.tenantId)).toBe(true);
});

test.each([
  ['changed', "UPDATE audit_events SET details = '{}' WHERE tenant_id = $1 AND sequence = 3", 'event 3 was changed'],
  [
    'given to somebody else',
    `UPDATE audit_events SET actor = '{"kind": "operator"}' WHERE tenant_id = $1 AND sequence = 3`,
    'event 3 was changed',
  ],
  [
    'left out',
    'DELETE FROM audit_events WHERE tenant_id = $1 AND sequence = 3',
    'event 3 is missing: the next one is 4',
  ],
  [
    'written anew with a hash of its own',
    `UPDATE audit_events e SET details = '{}', hash = sha256(previous_hash || convert_to(jsonb_build_array(tenant_id,
       sequence, (extract(epoch FROM at) * 1000)::bigint, actor, action, '{}'::jsonb)::text, 'UTF8'))
      WHERE tenant_id = $1 AND sequence = 3`,
    'event 4 does not follow the one before it',
  ],
])('an event that somebody with every right has %s is found', async (_, statement, problem) => {
  await using database = await createTestDatabase();
  const tenant = await createTestTenant(database.db);
  await append(database.db, tenant, 6);
  await asOwner(database.ownerUrl, statement, [tenant.tenantId]);
  expect((await verifyAuditLog(database.ownerUrl)).get(tenant.tenantId)).toMatchObject({ problem });
  expect(await verifyTenantAuditLog(database.db, tenant.tenantId)).toMatchObject({ problem });
});

test('the application reads and appends, and can neither change, delete nor write past the chain', async () => {
  await using database = await createTestDatabase();
  const tenant = await createTestTenant(database.db);
  await append(database.db, tenant, 1);
  for (const statement of [
    "UPDATE audit_events SET action = 'x'",
    'DELETE FROM audit_events',
    'TRUNCATE audit_events',
    `INSERT INTO audit_events SELECT * FROM audit_events`,
    'SET ROLE kindred_audit',
  ]) {
    await expect(database.db.pool.query(statement), statement).rejects.toThrow(/permission denied/);
  }
});

test('the role that appends has a right to nothing else', async () => {
  await using database = await createTestDatabase();
  const client = new Client({ connectionString: database.ownerUrl });
  await client.connect();
  const { rows } = await client.query(
    `SELECT table_name AS "table", privilege_type AS privilege FROM information_schema.role_table_grants
      WHERE grantee = 'kindred_audit' ORDER BY privilege_type`,
  );
  await client.end();
  expect(rows).toEqual([
    { table: 'audit_events', privilege: 'INSERT' },
    { table: 'audit_events', privilege: 'SELECT' },
  ]);
});
