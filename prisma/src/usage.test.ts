import { randomUUID } from 'node:crypto';
import { createTestModel, createTestRun } from '@kindred/testing/test-model';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import { withTenant } from './tenants.ts';
import { addTrainingCpu } from './training-runs.ts';
import { findAllowance, listUsageDays, recordUsage, type UsageEntry } from './usage.ts';

const entry = (fields: Partial<UsageEntry> = {}): UsageEntry => ({
  day: '2026-11-26',
  operation: 'QUERY',
  credential: 'session',
  requests: 2,
  points: 84,
  recommendations: 1,
  ...fields,
});

test('a batch that comes twice, or in parts, is in the ledger once', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const batchId = randomUUID();
  const entries = [entry(), entry({ operation: 'MUTATION', points: 16 })];
  const record = (rows: readonly UsageEntry[]) => withTenant(db, ours.tenantId, (tx) => recordUsage(tx, batchId, rows));
  await record(entries.slice(0, 1));
  await Promise.all(Array.from({ length: 8 }, () => record(entries)));
  await withTenant(db, theirs.tenantId, (tx) => recordUsage(tx, batchId, [entry({ requests: 9 })]));
  const days = await withTenant(db, ours.tenantId, (tx) => listUsageDays(tx, '2026-11'));
  expect(days).toMatchObject([{ day: '2026-11-26', requests: 4, points: 100, recommendations: 2 }]);
});

test('days are of their own month and tenant', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const entries = [entry({ day: '2026-10-31' }), entry({ day: '2026-11-01' }), entry({ day: '2026-11-30' })];
  await withTenant(db, ours.tenantId, (tx) => recordUsage(tx, randomUUID(), entries));
  await withTenant(db, ours.tenantId, async (tx) => {
    expect((await listUsageDays(tx, '2026-11')).map(({ day }) => day)).toEqual(['2026-11-01', '2026-11-30']);
    expect(await findAllowance(tx, '2026-11')).toEqual({ plan: 'SCALE', requests: 4, points: 168 });
    expect(await findAllowance(tx, '2026-12')).toEqual({ plan: 'SCALE', requests: 0, points: 0 });
  });
  await withTenant(db, theirs.tenantId, async (tx) => {
    expect(await listUsageDays(tx, '2026-11')).toEqual([]);
    expect(await findAllowance(tx, '2026-11')).toMatchObject({ points: 0 });
  });
});

test('the application can neither change the ledger nor write what is counted', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  await withTenant(db, ours.tenantId, (tx) => recordUsage(tx, randomUUID(), [entry()]));
  for (const statement of [
    'UPDATE usage_ledger SET points = 0',
    'DELETE FROM usage_ledger',
    'UPDATE usage_days SET points = 0',
    'DELETE FROM tenant_counts',
  ]) {
    await expect(withTenant(db, ours.tenantId, (tx) => tx.client.$executeRawUnsafe(statement))).rejects.toThrow(
      /permission denied/,
    );
  }
  const forged = withTenant(
    db,
    ours.tenantId,
    (tx) => tx.client.$executeRaw`
      INSERT INTO usage_ledger (tenant_id, batch_id, day, operation, credential, requests, points, recommendations)
      VALUES (${theirs.tenantId}::uuid, ${randomUUID()}::uuid, '2026-11-26', 'QUERY', 'session', 1, 1, 1)`,
  );
  await expect(forged).rejects.toThrow(/row-level security/);
});

test('trainings are counted when they begin, with the time that they computed', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  await withTenant(db, ours.tenantId, async (tx) => {
    const run = await createTestRun(tx, await createTestModel(tx));
    await addTrainingCpu(tx, run.id, 1_500.4);
    await addTrainingCpu(tx, run.id, 500);
    const [today] = await listUsageDays(tx, new Date().toISOString().slice(0, 7));
    expect(today).toMatchObject({ trainings: 1, trainingCpuMs: 2_000 });
  });
  const month = new Date().toISOString().slice(0, 7);
  expect(await withTenant(db, theirs.tenantId, (tx) => listUsageDays(tx, month))).toEqual([]);
});
