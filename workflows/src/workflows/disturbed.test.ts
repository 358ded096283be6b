import { recordInteractions } from '@kindred/db/interactions';
import { withTenant } from '@kindred/db/tenants';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runWorkers } from '../testing/run-workers.ts';
import { openTrainingWorld, queueRun, readRun, startRun, type TrainingWorld } from '../testing/training-world.ts';

// The rest of what may befall a training is `npm run chaos`.
vi.setConfig({ testTimeout: 60_000 });

let world: TrainingWorld;
let workers: AsyncDisposable;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  world = await openTrainingWorld();
  workers = await runWorkers(world);
});

afterAll(async () => {
  await workers[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

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
