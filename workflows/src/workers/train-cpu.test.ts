import { once } from 'node:events';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test } from 'vitest';
import { spawnWorker } from '../testing/spawn-worker.ts';
import { openTrainingWorld, queueRun, readRun, SMALL, startRun } from '../testing/training-world.ts';

/** Some seconds of short epochs. */
const UNHURRIED = { ...SMALL, loss: 'bpr' as const, dimension: 64, batchSize: 16, epochs: 80, patience: 80 };

test('a worker that is killed in mid-training is replaced by one that goes on, and every epoch is told once', async () => {
  await using world = await openTrainingWorld();
  await using processes = new AsyncDisposableStack();
  const workflows = processes.use(await spawnWorker(world, 'workflows'));
  const data = processes.use(await spawnWorker(world, 'data'));
  const doomed = await spawnWorker(world, 'train-cpu');
  for (const { url } of [workflows, data, doomed]) {
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  }
  const { tenantId } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 60, itemCount: 120 });
  const input = await queueRun(world, tenantId, UNHURRIED);
  const handle = await startRun(world, input);
  const toldEpochs = async () =>
    (await readRun(world, input)).events.flatMap(({ body }) => (body.kind === 'EPOCH_FINISHED' ? [body.epoch] : []));

  const savedEpoch = async () => (await readRun(world, input)).run?.checkpoints[0]?.epoch ?? 0;
  await expect.poll(savedEpoch, { timeout: 60_000, interval: 20 }).toBeGreaterThan(0);
  doomed.child.kill('SIGKILL');
  await once(doomed.child, 'exit');
  const toldBefore = await toldEpochs();
  expect(toldBefore.length).toBeLessThan(UNHURRIED.epochs);
  const saved = await savedEpoch();

  processes.use(await spawnWorker(world, 'train-cpu'));
  await handle.result();

  const { run, events } = await readRun(world, input);
  expect(run?.status).toBe('SUCCEEDED');
  expect(await toldEpochs()).toEqual(Array.from({ length: UNHURRIED.epochs }, (_, index) => index + 1));
  expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1));
  const log = events.flatMap(({ body }) =>
    body.kind === 'LOG' && !/^(Quality gate|Computing on the CPU: )/.test(body.message) ? [body.message] : [],
  );
  expect(log[0]).toMatch(/^Version 1, the instant first model/);
  expect(log[1]).toMatch(/^Computing with the \w+ back-end \(/);
  expect(log[2]).toBe(`Going on after epoch ${saved}`);
  expect(log[3]).toMatch(/^Exact: /);
  expect(log).toHaveLength(4);
}, 180_000);

test('a worker that is told to stop in mid-training stops at once and loses no epoch', async () => {
  await using world = await openTrainingWorld();
  await using processes = new AsyncDisposableStack();
  processes.use(await spawnWorker(world, 'workflows'));
  processes.use(await spawnWorker(world, 'data'));
  const { tenantId } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 60, itemCount: 120 });
  const input = await queueRun(world, tenantId, UNHURRIED);
  const stopped = await spawnWorker(world, 'train-cpu');
  const handle = await startRun(world, input);
  await expect.poll(async () => (await readRun(world, input)).events.length, { timeout: 60_000 }).toBeGreaterThan(9);
  const exited = once(stopped.child, 'exit');
  stopped.child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  processes.use(await spawnWorker(world, 'train-cpu'));
  await handle.result();
  const { run, events } = await readRun(world, input);
  expect(run?.status).toBe('SUCCEEDED');
  expect(events.filter(({ body }) => body.kind === 'EPOCH_FINISHED')).toHaveLength(UNHURRIED.epochs);
}, 180_000);
