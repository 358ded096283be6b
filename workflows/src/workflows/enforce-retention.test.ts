import { randomBytes } from 'node:crypto';
import { appendAuditEvent } from '@kindred/db/audit-log';
import { setRetentionPolicy } from '@kindred/db/retention';
import { withTenant } from '@kindred/db/tenants';
import { verifyTenantAuditLog } from '@kindred/db/verify-audit-log';
import { ageAuditLog } from '@kindred/testing/aged-audit-log';
import { openOwnerSession } from '@kindred/testing/owner-session';
import { createTestTenant, type TestTenant } from '@kindred/testing/test-tenant';
import { expect, test, vi } from 'vitest';
import { ENFORCE_RETENTION, RETENTION_WORKFLOW_ID, TASK_QUEUES } from '../contract.ts';
import type { TrainingWorld } from '../testing/training-world.ts';
import { openWorldAroundTests } from '../testing/world-around-tests.ts';

vi.setConfig({ testTimeout: 240_000 });

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

/** A tenant with five events of 500 days ago and one of now. */
async function createOldTenant({ auditDays }: { auditDays: number | null }): Promise<TestTenant> {
  const { db } = world.deps;
  const tenant = await createTestTenant(db);
  const { tenantId, accountId } = tenant;
  const actor = { kind: 'account', id: accountId } as const;
  const append = () => withTenant(db, tenantId, (tx) => appendAuditEvent(tx, { actor, action: 'createApiKey' }));
  for (let number = 0; number < 5; number += 1) await append();
  await ageAuditLog(world.database.ownerUrl, tenantId, 500);
  await append();
  const policy = { interactionDays: null, versionDays: null, auditDays };
  await withTenant(db, tenantId, (tx) => setRetentionPolicy(tx, policy));
  return tenant;
}

test('a night prunes each audit log by its tenant’s own period, and one that was altered stops no other', async () => {
  const altered = await createOldTenant({ auditDays: 365 });
  const [ours, theirs] = [await createOldTenant({ auditDays: 365 }), await createOldTenant({ auditDays: 600 })];
  const forEver = await createOldTenant({ auditDays: null });
  await using owner = await openOwnerSession(world.database.ownerUrl);
  await owner.query("UPDATE audit_events SET action = 'x' WHERE tenant_id = $1 AND sequence = 2", [altered.tenantId]);

  const night = await world.client.workflow.execute(ENFORCE_RETENTION, {
    taskQueue: TASK_QUEUES.workflows,
    workflowId: `${RETENTION_WORKFLOW_ID}/${randomBytes(6).toString('hex')}`,
    args: [],
  });

  expect(night).toMatchObject({ tenantCount: 4, failedCount: 1, auditEventCount: 5 });
  const verdictOf = ({ tenantId }: TestTenant) => verifyTenantAuditLog(world.deps.db, tenantId);
  expect(await verdictOf(ours)).toMatchObject({ eventCount: 2, anchor: { sequence: '5' }, problem: null });
  expect(await verdictOf(theirs)).toMatchObject({ eventCount: 6, anchor: null, problem: null });
  expect(await verdictOf(forEver)).toMatchObject({ eventCount: 6, anchor: null, problem: null });
  expect(await verdictOf(altered)).toMatchObject({ anchor: null, problem: 'event 2 was changed' });
});
