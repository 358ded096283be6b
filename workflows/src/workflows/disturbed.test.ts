import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { recordInteractions } from '@kindred/db/interactions';
import { withTenant } from '@kindred/db/tenants';
import { SupersededError } from '@kindred/db/training-checkpoints';
import type { ObjectStore } from '@kindred/service/object-store';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test, vi } from 'vitest';
import { trainEmbeddings } from '../activities/train-embeddings.ts';
import { runFolder } from '../run-files.ts';
import { queueRun, readRun, startRun, type TrainingWorld } from '../testing/training-world.ts';
import { openWorldAroundTests } from '../testing/world-around-tests.ts';

// The rest of what may befall a training is `npm run chaos`.
vi.setConfig({ testTimeout: 120_000 });

let world: TrainingWorld;

type Train = (input: Parameters<typeof trainEmbeddings>[1]) => ReturnType<typeof trainEmbeddings>;
const train: Train = (input) => trainEmbeddings(world.deps, input);
/** What the workers do for the training step. */
let step = train;

openWorldAroundTests(
  (opened) => {
    world = opened;
  },
  { trainEmbeddings: (input) => step(input) },
);

test('a value that cannot be learned from ends the run at its first try, and the run says so', async () => {
  const { tenantId } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 40, itemCount: 40 });
  // Finite for the database, not for the 32 bits that trainings compute with.
  const poison = { userExternalId: 'user-1', itemExternalId: 'item-1', type: 'RATING' as const, value: 1e300 };
  await withTenant(world.deps.db, tenantId, (tx) =>
    recordInteractions(tx, [{ ...poison, occurredAt: new Date('2026-02-01') }]),
  );
  const input = await queueRun(world, tenantId);
  const handle = await startRun(world, input);
  await expect(handle.result()).rejects.toThrow();
  const { run } = await readRun(world, input);
  expect(run).toMatchObject({ status: 'FAILED', phase: 'SNAPSHOT' });
  expect(run?.failure).toContain('The interactions cannot be learned from.');
  const { events } = await handle.fetchHistory();
  const started = (events ?? []).flatMap(
    ({ activityTaskStartedEventAttributes }) => activityTaskStartedEventAttributes ?? [],
  );
  expect(started.map(({ attempt }) => attempt)).toEqual(started.map(() => 1));
});

test('an attempt that comes back behind the end of the run leaves no file of it', async () => {
  const hold = Promise.withResolvers<undefined>();
  const reached = Promise.withResolvers<undefined>();
  const orphan = Promise.withResolvers<unknown>();
  // The first attempt hangs while it stores a checkpoint, and is given up.
  step = async (input) => {
    step = train;
    const objects = holdingBack(world.deps.objects, '/checkpoints/', () => {
      reached.resolve(undefined);
      return hold.promise;
    });
    trainEmbeddings({ ...world.deps, objects }, input).catch(orphan.resolve);
    await reached.promise;
    throw new Error('The attempt is given up.');
  };
  const { tenantId } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 40, itemCount: 40 });
  const input = await queueRun(world, tenantId);
  await (await startRun(world, input)).result();
  expect((await readRun(world, input)).run?.status).toBe('SUCCEEDED');
  hold.resolve(undefined);
  expect(await orphan.promise).toBeInstanceOf(SupersededError);
  await expect(readdir(join(world.folder, runFolder(input)))).rejects.toThrow('ENOENT');
});

/** The store, but for keys that hold this part: those are put once `held` lets them. */
function holdingBack(store: ObjectStore, part: string, held: () => Promise<unknown>): ObjectStore {
  return {
    put: async (key, bytes) => {
      if (key.includes(part)) await held();
      await store.put(key, bytes);
    },
    putFile: (key, path) => store.putFile(key, path),
    get: (key) => store.get(key),
    materialize: (key) => store.materialize(key),
    exists: (key) => store.exists(key),
    list: (prefix) => store.list(prefix),
    evict: (key) => store.evict(key),
    delete: (prefix) => store.delete(prefix),
    ping: () => store.ping(),
  };
}
