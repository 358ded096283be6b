import { ageAuditLog } from '@kindred/testing/aged-audit-log';
import { openOwnerSession } from '@kindred/testing/owner-session';
import { createTestDatabase } from '@kindred/testing/test-database';
import { createTestTenant, type TestTenant } from '@kindred/testing/test-tenant';
import { expect, test } from 'vitest';
import { appendAuditEvent, listAuditEvents } from './audit-log.ts';
import type { Db } from './client.ts';
import { findRetentionPolicy, pruneAuditLog, setRetentionPolicy } from './retention.ts';
import { withTenant } from './tenants.ts';
import { verifyAuditLog, verifyTenantAuditLog } from './verify-audit-log.ts';

const FOR_EVER = { interactionDays: null, versionDays: null, auditDays: null };

function append(db: Db, { tenantId, accountId }: TestTenant): Promise<void> {
  const actor = { kind: 'account', id: accountId } as const;
  return withTenant(db, tenantId, (tx) => appendAuditEvent(tx, { actor, action: 'createApiKey', details: {} }));
}

const prune = (db: Db, { tenantId }: TestTenant, limit = 1_000) =>
  withTenant(db, tenantId, (tx) => pruneAuditLog(tx, limit));

const keepFor = (db: Db, { tenantId }: TestTenant, auditDays: number) =>
  withTenant(db, tenantId, (tx) => setRetentionPolicy(tx, { ...FOR_EVER, auditDays }));

async function sequencesOf(db: Db, { tenantId }: TestTenant): Promise<number[]> {
  const events = await withTenant(db, tenantId, (tx) => listAuditEvents(tx, { first: 100 }));
  return events.map(({ sequence }) => Number(sequence)).toReversed();
}

/** Two tenants with six events of 400 days ago and three of now each; `ours` keeps its log for a year, `theirs` for ever. */
async function openWorld() {
  const database = await createTestDatabase();
  const { db, ownerUrl } = database;
  const [ours, theirs] = [await createTestTenant(db), await createTestTenant(db)];
  for (const tenant of [ours, theirs]) {
    for (let number = 0; number < 6; number += 1) await append(db, tenant);
    await ageAuditLog(ownerUrl, tenant.tenantId, 400);
    for (let number = 0; number < 3; number += 1) await append(db, tenant);
  }
  await keepFor(db, ours, 365);
  return { db, ownerUrl, ours, theirs, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}

test('what is older than a tenant keeps it goes, nothing of another tenant, and the rest is provable from the anchor on', async () => {
  await using world = await openWorld();
  const { db, ownerUrl, ours, theirs } = world;
  const [before] = [await verifyTenantAuditLog(db, theirs.tenantId)];
  expect(await prune(db, ours)).toBe(6);
  expect(await prune(db, theirs)).toBe(0);
  expect(await sequencesOf(db, ours)).toEqual([7, 8, 9, 10]);
  expect(await sequencesOf(db, theirs)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await append(db, ours);
  const verdict = await verifyTenantAuditLog(db, ours.tenantId);
  expect(verdict).toMatchObject({
    eventCount: 5,
    problem: null,
    anchor: { sequence: '6', reason: 'kept for 365 days', prunedAt: expect.any(Date) as Date },
  });
  const verdicts = await verifyAuditLog(ownerUrl);
  expect(verdicts.get(ours.tenantId)).toEqual(verdict);
  expect(verdicts.get(theirs.tenantId)).toEqual(before);
  expect(before).toMatchObject({ eventCount: 9, anchor: null, problem: null });
});

test('each tenant has its own period, and tells its pruning to itself alone', async () => {
  await using world = await openWorld();
  const { db, ours, theirs } = world;
  await keepFor(db, theirs, 401);
  expect([await prune(db, ours), await prune(db, theirs)]).toEqual([6, 0]);
  await keepFor(db, theirs, 399);
  expect([await prune(db, ours), await prune(db, theirs)]).toEqual([0, 6]);
  const [told] = await withTenant(db, theirs.tenantId, (tx) => listAuditEvents(tx, { first: 1 }));
  expect(told).toMatchObject({
    action: 'pruneAuditLog',
    actor: { kind: 'platform' },
    details: { sequence: 6, reason: 'kept for 399 days' },
  });
  const { rows } = await db.pool.query('SELECT FROM audit_anchors');
  expect(rows).toEqual([]);
});

test('a log is pruned in batches, each from the anchor of the one before, while others append and verify', async () => {
  await using world = await openWorld();
  const { db, ours } = world;
  const meanwhile = Array.from({ length: 10 }, async () => {
    await append(db, ours);
    return verifyTenantAuditLog(db, ours.tenantId);
  });
  expect([await prune(db, ours, 4), await prune(db, ours, 4), await prune(db, ours, 4)]).toEqual([4, 2, 0]);
  expect((await Promise.all(meanwhile)).filter(({ problem }) => problem !== null)).toEqual([]);
  expect(await verifyTenantAuditLog(db, ours.tenantId)).toMatchObject({
    eventCount: 15,
    anchor: { sequence: '6' },
    problem: null,
  });
});

test.each([
  [
    'the anchor’s hash',
    "UPDATE audit_anchors SET hash = sha256('x')",
    'the anchor was changed: no pruning up to event 6',
  ],
  ['the anchor’s number', 'UPDATE audit_anchors SET sequence = 7', 'the anchor was changed: no pruning up to event 7'],
  ['the anchor’s time', "UPDATE audit_anchors SET pruned_at = pruned_at - interval '1 day'", 'the anchor was changed'],
  ['the anchor’s reason', "UPDATE audit_anchors SET reason = 'none'", 'the anchor was changed'],
  ['the whole anchor', 'DELETE FROM audit_anchors', 'the anchor is missing: the log tells of a pruning'],
  [
    'the anchor, and the event that tells of it in the same words',
    `UPDATE audit_anchors SET hash = sha256('x');
     UPDATE audit_events e SET details = audit_anchor_details(a.sequence, a.hash, a.pruned_at, a.reason)
       FROM audit_anchors a WHERE e.tenant_id = a.tenant_id AND e.action = 'pruneAuditLog'`,
    'event 7 does not follow the anchor',
  ],
  [
    'the first event that is kept',
    'DELETE FROM audit_events WHERE sequence = 7 AND tenant_id IN (SELECT tenant_id FROM audit_anchors)',
    'event 7 is missing behind the anchor: the next one is 8',
  ],
  [
    'an event in the middle',
    'DELETE FROM audit_events WHERE sequence = 8 AND tenant_id IN (SELECT tenant_id FROM audit_anchors)',
    'event 8 is missing: the next one is 9',
  ],
  [
    'the event that tells of the pruning',
    "DELETE FROM audit_events WHERE action = 'pruneAuditLog'",
    'the anchor was changed: no pruning up to event 6',
  ],
])('that somebody with every right touched %s is found and named', async (_, script, problem) => {
  await using world = await openWorld();
  const { db, ownerUrl, ours, theirs } = world;
  await prune(db, ours);
  await using owner = await openOwnerSession(ownerUrl);
  await owner.query(script);
  const verdicts = await verifyAuditLog(ownerUrl);
  expect(verdicts.get(ours.tenantId)?.problem).toContain(problem);
  expect(await verifyTenantAuditLog(db, ours.tenantId)).toEqual(verdicts.get(ours.tenantId));
  expect(verdicts.get(theirs.tenantId)).toMatchObject({ eventCount: 9, problem: null });
});

test.each([
  ['changed', "UPDATE audit_events SET details = '{}' WHERE tenant_id = $1 AND sequence = 3", 3],
  ['left out', 'DELETE FROM audit_events WHERE tenant_id = $1 AND sequence = 3', 4],
])(
  'a log in which an old event was %s is not pruned, since that would be forgotten with it',
  async (_, statement, at) => {
    await using world = await openWorld();
    const { db, ours, theirs } = world;
    await using owner = await openOwnerSession(world.ownerUrl);
    await owner.query(statement.replace("'{}'", `'{"number": 0}'`), [ours.tenantId]);
    await keepFor(db, theirs, 365);
    const before = await sequencesOf(db, ours);
    await expect(prune(db, ours)).rejects.toThrow(`does not fit together at event ${at}: not pruned`);
    expect(await sequencesOf(db, ours)).toEqual(before);
    expect(await prune(db, theirs)).toBe(6);
  },
);

test('a period of less than a year is not taken, whoever sets it', async () => {
  await using world = await openWorld();
  const { db, ours, theirs } = world;
  for (const days of [0, 1, 364, -1]) await expect(keepFor(db, ours, days), String(days)).rejects.toThrow();
  expect(await withTenant(db, ours.tenantId, findRetentionPolicy)).toEqual({ ...FOR_EVER, auditDays: 365 });
  expect(await withTenant(db, theirs.tenantId, findRetentionPolicy)).toEqual(FOR_EVER);
});

test('the application can neither delete events nor write an anchor but by pruning', async () => {
  await using world = await openWorld();
  const { db, ours, theirs } = world;
  await prune(db, ours);
  for (const statement of [
    'DELETE FROM audit_events',
    'UPDATE audit_events SET at = now()',
    'INSERT INTO audit_anchors SELECT * FROM audit_anchors',
    'UPDATE audit_anchors SET sequence = 0',
    'DELETE FROM audit_anchors',
    'TRUNCATE audit_anchors',
    'SET ROLE kindred_retention',
  ]) {
    for (const { tenantId } of [ours, theirs]) {
      const run = withTenant(db, tenantId, (tx) => tx.client.$executeRawUnsafe(statement));
      await expect(run, statement).rejects.toThrow(/permission denied/);
    }
  }
});

test('the role that prunes reaches old events of the one tenant alone, and no other table', async () => {
  await using world = await openWorld();
  const { ours, theirs } = world;
  await using owner = await openOwnerSession(world.ownerUrl);
  const rights = await owner.query(
    `SELECT table_name || ' ' || string_agg(privilege_type, ' ' ORDER BY privilege_type) AS "right"
       FROM information_schema.role_table_grants WHERE grantee = 'kindred_retention' GROUP BY table_name ORDER BY table_name`,
  );
  expect(rights).toEqual([{ right: 'audit_anchors INSERT SELECT UPDATE' }, { right: 'audit_events DELETE SELECT' }]);
  await owner.query('SET ROLE kindred_retention');
  await owner.query("SELECT set_config('app.tenant_id', $1, false)", [ours.tenantId]);
  const gone = await owner.query<{ tenant: string; sequence: number }>(
    'DELETE FROM audit_events RETURNING tenant_id AS tenant, sequence::int AS sequence',
  );
  expect(gone).toEqual([1, 2, 3, 4, 5, 6].map((sequence) => ({ tenant: ours.tenantId, sequence })));
  await owner.query('RESET ROLE');
  expect(await sequencesOf(world.db, theirs)).toHaveLength(9);
});
