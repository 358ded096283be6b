import { createHash, randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { recordInteractions } from '@kindred/db/interactions';
import { listWholeVersions } from '@kindred/db/model-versions';
import { setRetentionPolicy } from '@kindred/db/retention';
import { withTenant } from '@kindred/db/tenants';
import { countUserRows } from '@kindred/db/user-data';
import { createUserExport, findUserExport } from '@kindred/db/user-exports';
import { findUserByExternalId } from '@kindred/db/users';
import { newId, type TenantId, type UserExportId, type UserId } from '@kindred/domain/ids';
import { userExportFolder } from '@kindred/domain/user-events';
import { versionFolder } from '@kindred/domain/version-manifest';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test, vi } from 'vitest';
import {
  ENFORCE_RETENTION,
  EXPORT_USER_DATA,
  exportUserDataWorkflowId,
  RETENTION_WORKFLOW_ID,
  TASK_QUEUES,
} from '../contract.ts';
import { scheduleRetention } from '../schedule-retention.ts';
import { queueRun, startRun, type TrainingWorld } from '../testing/training-world.ts';
import { openWorldAroundTests } from '../testing/world-around-tests.ts';

vi.setConfig({ testTimeout: 240_000 });

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

const DAY_MS = 86_400_000;

/** A tenant with a trained version, whose user `person` has two interactions: one of today, one of 40 days ago. */
async function createTrainedTenant() {
  const { db, redis } = world.deps;
  const { tenantId } = await createTestTenant(db);
  await seedCheckerboard(db, tenantId, { userCount: 40, itemCount: 40 });
  const rows = [0, 40].map((daysAgo, index) => {
    const occurredAt = new Date(Date.now() - daysAgo * DAY_MS);
    return { userExternalId: 'person', itemExternalId: `item-${index}`, type: 'VIEW' as const, occurredAt };
  });
  await withTenant(db, tenantId, (tx) => recordInteractions(tx, rows));
  const user = await withTenant(db, tenantId, (tx) => findUserByExternalId(tx, 'person'));
  if (user === null) throw new Error('Wanted a user, got none.');
  await redis.set(`kindred:history:run:{${tenantId}:person}:token`, `token|${user.id}`);
  await (await startRun(world, await queueRun(world, tenantId))).result();
  return { tenantId, userId: user.id };
}

/** The files of a ustar archive. */
function readTar(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; archive[at] !== 0; ) {
    const text = (from: number, length: number) =>
      archive.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12), 8);
    files.set(text(0, 100), archive.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

async function requestExport({ tenantId, userId }: { tenantId: TenantId; userId: UserId }) {
  const exportId = newId('UserExport');
  await withTenant(world.deps.db, tenantId, (tx) => createUserExport(tx, { id: exportId, userId, validMinutes: 5 }));
  const input = { tenantId, exportId };
  const handle = await world.client.workflow.start(EXPORT_USER_DATA, {
    taskQueue: TASK_QUEUES.workflows,
    workflowId: exportUserDataWorkflowId(input),
    args: [input],
  });
  return { ...input, handle };
}

const readExport = (tenantId: TenantId, exportId: UserExportId) =>
  withTenant(world.deps.db, tenantId, (tx) => findUserExport(tx, exportId));

test('an archive holds what every store has of the user, with hashes that fit, and goes when its time is over', async () => {
  const ours = await createTrainedTenant();
  const { objects } = world.deps;
  const { tenantId, exportId, handle } = await requestExport(ours);
  await expect
    .poll(() => readExport(tenantId, exportId), { timeout: 60_000 })
    .toMatchObject({ sizeBytes: expect.any(Number) });
  const row = await readExport(tenantId, exportId);
  const archive = Buffer.from(await objects.get(row?.archiveKey ?? ''));
  expect(
    createHash('sha256')
      .update(archive)
      .digest()
      .equals(row?.sha256 ?? new Uint8Array()),
  ).toBe(true);
  const files = readTar(gunzipSync(archive));
  const manifest = JSON.parse(files.get('manifest.json')?.toString() ?? '{}') as {
    user: object;
    files: { name: string; lineCount: number; sha256: string }[];
  };
  expect(manifest.user).toEqual({ id: ours.userId, externalId: 'person' });
  expect([...files.keys()]).toEqual(['manifest.json', ...manifest.files.map(({ name }) => name)]);
  for (const { name, sha256 } of manifest.files) {
    expect(
      createHash('sha256')
        .update(files.get(name) ?? '')
        .digest('hex'),
    ).toBe(sha256);
  }
  const versions = await withTenant(world.deps.db, tenantId, listWholeVersions);
  expect(manifest.files.map(({ name, lineCount }) => [name, lineCount])).toEqual([
    ['postgres/interactions.jsonl', 2],
    ['postgres/user_exports.jsonl', 1],
    ['postgres/users.jsonl', 1],
    ['redis/history.jsonl', 1],
    ['versions/vectors.jsonl', versions.length],
    ['runs/snapshots.jsonl', 0],
    ['jobs/recommendations.jsonl', 0],
  ]);
  expect(files.get('versions/vectors.jsonl')?.toString()).toContain(versions[0]?.id);
  expect(row?.expiresAt?.getTime()).toBe((row?.finishedAt?.getTime() ?? 0) + 5 * 60_000);
  await handle.terminate('The rest is the next test');
}, 300_000);

test('an archive whose time is over is deleted', async () => {
  const ours = await createTrainedTenant();
  const { db, objects } = world.deps;
  const exportId = newId('UserExport');
  const input = { tenantId: ours.tenantId, exportId };
  await withTenant(db, ours.tenantId, (tx) =>
    createUserExport(tx, { id: exportId, userId: ours.userId, validMinutes: 0 }),
  );
  await world.client.workflow.execute(EXPORT_USER_DATA, {
    taskQueue: TASK_QUEUES.workflows,
    workflowId: exportUserDataWorkflowId(input),
    args: [input],
  });
  expect(await objects.list(userExportFolder(ours.tenantId, exportId))).toEqual([]);
  expect(await readExport(ours.tenantId, exportId)).toMatchObject({ archiveKey: null, finishedAt: expect.any(Date) });
});

test('a night deletes what a tenant does not want to keep, and nothing of a tenant that said nothing', async () => {
  const [ours, theirs] = [await createTrainedTenant(), await createTrainedTenant()];
  const { db, objects } = world.deps;
  await withTenant(db, ours.tenantId, (tx) =>
    setRetentionPolicy(tx, { interactionDays: 30, versionDays: 7, auditDays: null }),
  );
  const versions = await withTenant(db, ours.tenantId, listWholeVersions);
  const active = versions.find(({ status }) => status === 'ACTIVE');
  const others = versions.filter(({ status }) => status !== 'ACTIVE');
  expect(others.length).toBeGreaterThan(0);
  await withTenant(
    db,
    ours.tenantId,
    (tx) =>
      tx.client
        .$executeRaw`UPDATE model_versions SET created_at = now() - interval '8 days', activated_at = now() - interval '8 days'`,
  );
  const before = await withTenant(db, theirs.tenantId, listWholeVersions);

  const pruned = await world.client.workflow.execute(ENFORCE_RETENTION, {
    taskQueue: TASK_QUEUES.workflows,
    workflowId: `${RETENTION_WORKFLOW_ID}/${randomBytes(6).toString('hex')}`,
    args: [],
  });

  // The checkerboard is of January: of the seeded users everything is older than 30 days.
  expect(pruned).toMatchObject({ tenantCount: 1, failedCount: 0, versionCount: others.length });
  const countOf = ({ tenantId, userId }: { tenantId: TenantId; userId: UserId }) =>
    withTenant(db, tenantId, async (tx) => (await countUserRows(tx, userId))[0]);
  expect(await countOf(ours)).toEqual({ table: 'interactions', count: 1 });
  expect(await countOf(theirs)).toEqual({ table: 'interactions', count: 2 });
  expect((await withTenant(db, ours.tenantId, listWholeVersions)).map(({ id }) => id)).toEqual([active?.id]);
  expect(
    await objects.list(versionFolder(ours.tenantId, others[0]?.id ?? active?.id ?? newId('ModelVersion'))),
  ).toEqual([]);
  expect(await withTenant(db, theirs.tenantId, listWholeVersions)).toEqual(before);
});

test('retention is scheduled once, however many workers say so', async () => {
  await scheduleRetention(world.client.schedule);
  await scheduleRetention(world.client.schedule);
  const { spec, action } = await world.client.schedule.getHandle(RETENTION_WORKFLOW_ID).describe();
  expect(spec.calendars).toHaveLength(1);
  expect(action).toMatchObject({ workflowType: ENFORCE_RETENTION });
});
