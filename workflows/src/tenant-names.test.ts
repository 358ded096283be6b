import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createUserExport } from '@kindred/db/user-exports';
import { findUserByExternalId } from '@kindred/db/users';
import { withTenant } from '@kindred/db/tenants';
import { ITEMS_CHANGED_TOPIC } from '@kindred/domain/catalog-events';
import { newId, type TenantId } from '@kindred/domain/ids';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test, vi } from 'vitest';
import { EXPORT_USER_DATA, exportUserDataWorkflowId, RETENTION_WORKFLOW_ID, TASK_QUEUES } from './contract.ts';
import { queueBatch, readBatch, startBatch } from './testing/batch-world.ts';
import { importFile } from './testing/import-world.ts';
import { queueRun, startRun, type TrainingWorld } from './testing/training-world.ts';
import { openWorldAroundTests } from './testing/world-around-tests.ts';

vi.setConfig({ testTimeout: 300_000 });

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

/**
 * A tenant that imported what one user did, trained a model, recommended to all users with it, has told Redis of an interaction, and asked
 * for a copy of a user's data; `texts` are its own, `canary` is that user's name.
 */
async function createBusyTenant() {
  const { db, histories } = world.deps;
  const { tenantId } = await createTestTenant(db);
  const canary = `canary${randomBytes(8).toString('hex')}`;
  await seedCheckerboard(db, tenantId, { userCount: 40, itemCount: 40 });
  const interactionWith = (item: number) => ({
    userExternalId: canary,
    itemExternalId: `item-${item}`,
    type: 'VIEW',
    occurredAt: '2026-11-20T10:00:00Z',
  });
  const content = [0, 2, 4, 6, 8].map((item) => JSON.stringify(interactionWith(item))).join('\n');
  await importFile(world, tenantId, {
    kind: 'INTERACTIONS',
    format: 'JSONL',
    errorPolicy: 'REJECT_EVERYTHING',
    content: `${content}\n`,
  });
  const run = await queueRun(world, tenantId);
  await (await startRun(world, run)).result();
  const batch = await queueBatch(world, run);
  await startBatch(world, batch);
  // The workflow goes on until the file is due to go.
  await vi.waitFor(async () => expect((await readBatch(world, batch)).row?.finishedAt).toBeInstanceOf(Date), 120_000);
  const user = await withTenant(db, tenantId, (tx) => findUserByExternalId(tx, 'user-0'));
  if (user === null) throw new Error('Wanted the user user-0, got none.');
  const at = Date.now();
  const click = { userId: user.id, itemId: newId('Item'), occurredAt: at, recordedAt: at };
  await histories.add([{ ...click, tenantId, userExternalId: 'user-0' }]);
  const exportId = newId('UserExport');
  await withTenant(db, tenantId, (tx) => createUserExport(tx, { id: exportId, userId: user.id, validMinutes: 60 }));
  await world.client.workflow.start(EXPORT_USER_DATA, {
    taskQueue: TASK_QUEUES.workflows,
    workflowId: exportUserDataWorkflowId({ tenantId, exportId }),
    args: [{ tenantId, exportId }],
  });
  await vi.waitFor(
    async () => expect((await world.deps.objects.list(`tenants/${tenantId}/exports`)).length).toBe(1),
    120_000,
  );
  return { tenantId, canary, texts: [tenantId, canary, user.id, run.runId, run.modelId] };
}

async function readRedis(): Promise<[name: string, content: string][]> {
  const { redis } = world.deps;
  const keys = await redis.keys('*');
  return Promise.all(keys.map(async (key) => [key, (await redis.dump(key)) ?? ''] as [string, string]));
}

/** Every file of the object store, by its key. */
async function readFiles(): Promise<[name: string, content: string][]> {
  const entries = await readdir(world.folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.map(async (path) => [relative(world.folder, path), await readFile(path, 'latin1')] as [string, string]),
  );
}

test('every workflow, file, message and cached value of a tenant is named by it, and holds nothing of another', async () => {
  const messages: [name: string, content: string][] = [];
  const listener = world.deps.redis.duplicate();
  await listener.psubscribe('*');
  listener.on('pmessage', (_pattern: string, channel: string, message: string) => messages.push([channel, message]));
  const [ours, theirs] = [await createBusyTenant(), await createBusyTenant()];
  const cached = await readRedis();
  listener.disconnect();

  const workflowIds: string[] = [];
  for await (const { workflowId } of world.client.workflow.list()) workflowIds.push(workflowId);
  const isNamed = (workflowId: string, tenantId: TenantId) => workflowId.startsWith(`tenant/${tenantId}/`);
  const nameless = workflowIds.filter(
    (id) => !isNamed(id, ours.tenantId) && !isNamed(id, theirs.tenantId) && !id.startsWith(RETENTION_WORKFLOW_ID),
  );
  expect(nameless).toEqual([]);
  const files = await readFiles();
  const places = [ours, theirs].map(({ tenantId }) => `tenants/${tenantId}/`);
  expect(files.filter(([key]) => !places.some((place) => key.startsWith(place))).map(([key]) => key)).toEqual([]);

  for (const [own, other] of [
    [ours, theirs],
    [theirs, ours],
  ] as const) {
    const mentions = ([name, content]: [string, string]) =>
      own.texts.some((text) => `${name} ${content}`.includes(text));
    const [told, kept] = [messages.filter(mentions), cached.filter(mentions)];
    const stored = files.filter(([key]) => key.startsWith(`tenants/${own.tenantId}/`));
    for (const [name, content] of [...told, ...kept, ...stored]) {
      const text = `${name} ${content}`;
      // What all servers hear, that they forget what they keep of some items, says whose these are.
      expect(name === ITEMS_CHANGED_TOPIC ? text : name, content).toContain(own.tenantId);
      expect(
        other.texts.filter((foreign) => text.includes(foreign)),
        name,
      ).toEqual([]);
    }
    const ownIds = workflowIds.filter((id) => isNamed(id, own.tenantId));
    expect(stored.some(([, content]) => content.includes(own.canary))).toBe(true);
    const counts = [told, kept, stored, ownIds];
    expect(counts.map(({ length }) => length > 0)).toEqual([true, true, true, true]);
  }
});
