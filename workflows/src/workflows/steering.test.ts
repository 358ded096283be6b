import { findServingVersion } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test, vi } from 'vitest';
import {
  STEERING_SIGNALS,
  type SteeringSignal,
  TRAINING_STATE,
  type TrainingState,
  type TrainModelInput,
} from '../contract.ts';
import { queueRun, readRun, SMALL, startRun, type TrainingWorld } from '../testing/training-world.ts';
import { openWorldAroundTests } from '../testing/world-around-tests.ts';

vi.setConfig({ testTimeout: 90_000 });

const PATIENT = { timeout: 30_000 };
const LONG = { ...SMALL, epochs: 100_000, patience: 100_000 };

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

async function startTraining(settings = LONG) {
  const { tenantId } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 40, itemCount: 40 });
  const input = await queueRun(world, tenantId, settings);
  const handle = await startRun(world, input);
  let count = 0;
  const steer = (signal: SteeringSignal, requestId = `wish-${(count += 1)}`) =>
    handle.signal(STEERING_SIGNALS[signal], { requestId });
  return { input, handle, steer };
}

async function epochsOf(input: TrainModelInput): Promise<number[]> {
  const { events } = await readRun(world, input);
  return events.flatMap(({ body }) => (body.kind === 'EPOCH_FINISHED' ? [body.epoch] : []));
}

const untilEpoch = (input: TrainModelInput, epoch: number) =>
  expect.poll(async () => (await epochsOf(input)).length, PATIENT).toBeGreaterThanOrEqual(epoch);

const untilSaved = (input: TrainModelInput) =>
  expect.poll(async () => (await readRun(world, input)).run?.checkpoints.length, PATIENT).toBeGreaterThan(0);

const kindsOf = async (input: TrainModelInput) => (await readRun(world, input)).events.map(({ body }) => body.kind);

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

test('a paused training computes nothing and goes on behind its last checkpoint, each epoch told once', async () => {
  const { input, handle, steer } = await startTraining();
  await untilSaved(input);
  await steer('pause');
  await expect.poll(async () => (await readRun(world, input)).run?.pausedAt, PATIENT).toBeInstanceOf(Date);
  const saved = (await readRun(world, input)).run?.checkpoints[0]?.epoch;
  expect(await handle.query<TrainingState>(TRAINING_STATE)).toEqual({
    phase: 'TRAIN',
    isPaused: true,
    isStopping: false,
  });
  const before = await epochsOf(input);
  const { pendingActivities } = (await handle.describe()).raw;
  expect(pendingActivities ?? []).toEqual([]);

  await steer('resume');
  await untilEpoch(input, before.length + 3);
  expect((await readRun(world, input)).run).toMatchObject({ status: 'RUNNING', pausedAt: null });
  await steer('stop');
  await handle.result();
  const epochs = await epochsOf(input);
  expect(epochs).toEqual(upTo(epochs.length));
  const { events } = await readRun(world, input);
  const told = events.flatMap(({ body }) =>
    body.kind === 'LOG' && body.message.startsWith('Going on') ? [body.message] : [],
  );
  expect(told[0]).toBe(`Going on after epoch ${saved}`);
});

test('a training that is stopped keeps its best epoch, which is measured and answers', async () => {
  const { input, handle, steer } = await startTraining();
  await untilEpoch(input, 8);
  await steer('stop');
  const { versionId } = await handle.result();
  const { run, events } = await readRun(world, input);
  expect(run).toMatchObject({
    status: 'SUCCEEDED',
    phase: 'PROMOTE',
    stoppingAt: expect.any(Date) as Date,
    pausedAt: null,
  });
  const kinds = events.map(({ body }) => body.kind);
  expect(kinds.indexOf('STOPPING')).toBeGreaterThan(0);
  expect(kinds.slice(kinds.indexOf('STOPPING'))).not.toContain('EPOCH_FINISHED');
  // Whatever was told is saved, so that the best of it is there.
  expect(run?.checkpoints[0]?.epoch).toBe((await epochsOf(input)).length);
  expect(await withTenant(world.deps.db, input.tenantId, findServingVersion)).toMatchObject({ id: versionId });
});

test('a paused training can be stopped, and cancelled', async () => {
  const [kept, dropped] = await Promise.all([startTraining(), startTraining()]);
  for (const { input, steer } of [kept, dropped]) {
    await untilEpoch(input, 2);
    await steer('pause');
    await expect.poll(async () => (await readRun(world, input)).run?.pausedAt, PATIENT).toBeInstanceOf(Date);
  }
  await kept.steer('stop');
  await dropped.handle.cancel();
  await kept.handle.result();
  await expect(dropped.handle.result()).rejects.toThrow();
  expect((await readRun(world, kept.input)).run?.status).toBe('SUCCEEDED');
  expect((await readRun(world, dropped.input)).run).toMatchObject({ status: 'CANCELLED', pausedAt: null });
});

test('a pause before the training begins holds the run before its next step', async () => {
  const { input, handle, steer } = await startTraining(SMALL);
  await steer('pause');
  await expect.poll(async () => (await readRun(world, input)).run?.pausedAt, PATIENT).toBeInstanceOf(Date);
  const held = await kindsOf(input);
  expect(held.at(-1)).toBe('PAUSED');
  await steer('resume');
  await handle.result();
  expect((await epochsOf(input)).length).toBe(SMALL.epochs);
});

test('a wish that arrives twice counts once', async () => {
  const { input, handle, steer } = await startTraining();
  await untilEpoch(input, 2);
  await steer('pause', 'the-same');
  await expect.poll(async () => (await kindsOf(input)).filter((kind) => kind === 'PAUSED').length, PATIENT).toBe(1);
  await steer('resume');
  await expect.poll(async () => (await kindsOf(input)).includes('RESUMED'), PATIENT).toBe(true);
  await steer('pause', 'the-same');
  const last = (await epochsOf(input)).length;
  await untilEpoch(input, last + 2);
  await steer('stop');
  await handle.result();
  expect((await kindsOf(input)).filter((kind) => kind === 'PAUSED')).toHaveLength(1);
});

test('a cancelled training has ended within ten seconds and left none of its files', async () => {
  const { input, handle } = await startTraining();
  await untilSaved(input);
  const startedAt = performance.now();
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  const { run } = await readRun(world, input);
  expect(run?.status).toBe('CANCELLED');
  expect(run?.checkpoints.length).toBeGreaterThan(0);
  for (const { key } of run?.checkpoints ?? []) expect(await world.deps.objects.exists(key)).toBe(false);
});

test('operators find a run by tenant, model and status', async () => {
  const { input, handle, steer } = await startTraining();
  const other = await startTraining(SMALL);
  const find = async (query: string) => {
    const found: string[] = [];
    for await (const { memo } of world.client.workflow.list({ query })) found.push(String(memo?.runId));
    return found;
  };
  const running = `KindredTenant = '${input.tenantId}' AND KindredModel = '${input.modelId}' AND KindredStatus = 'RUNNING'`;
  await expect.poll(() => find(running), PATIENT).toEqual([input.runId]);
  await untilEpoch(input, 1);
  await steer('pause');
  await expect
    .poll(() => find(`KindredTenant = '${input.tenantId}' AND KindredStatus = 'PAUSED'`), PATIENT)
    .toEqual([input.runId]);
  await steer('stop');
  await Promise.all([handle.result(), other.handle.result()]);
  await expect
    .poll(() => find(`KindredStatus = 'SUCCEEDED' AND KindredTenant = '${other.input.tenantId}'`), PATIENT)
    .toEqual([other.input.runId]);
  const { run } = await readRun(world, input);
  expect(run?.executionId).toBe((await handle.describe()).runId);
});
