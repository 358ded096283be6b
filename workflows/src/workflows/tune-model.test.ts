import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withTenant } from '@kindred/db/tenants';
import { changePlan, listUsageDays } from '@kindred/db/usage';
import type { TenantId } from '@kindred/domain/ids';
import { jobFolder } from '@kindred/domain/jobs';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TuneTrialInput } from '../contract.ts';
import { createComputeActivities } from '../activities/create-activities.ts';
import { runWorkers } from '../testing/run-workers.ts';
import { openTrainingWorld, SMALL, type TrainingWorld } from '../testing/training-world.ts';
import { queueTuning, readTuning, startTuning } from '../testing/tuning-world.ts';

let world: TrainingWorld;
let workers: AsyncDisposable;
/** Trials that cannot be tried, by their tenant. */
const broken = new Map<TenantId, number>();

beforeAll(async () => {
  world = await openTrainingWorld();
  workers = await runWorkers(world, {
    runTrial: async (input: TuneTrialInput) => {
      if (broken.get(input.tenantId) === input.trial) throw ApplicationFailure.nonRetryable('postgres://internal');
      await createComputeActivities(world.deps).runTrial(input);
    },
  });
}, 120_000);

afterAll(async () => {
  await workers[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

const { dimension, batchSize } = SMALL;
const SETTINGS = { dimension, batchSize, patience: 100 };
const ORDER = { trialCount: 6, parallelCount: 2, epochs: 9, seed: 1, applies: true };

async function newTenant(): Promise<TenantId> {
  const { tenantId } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 40, itemCount: 60 });
  return tenantId;
}

test('a tuning finds the best epoch of all trials by validation, gives up on bad ones, and the model takes the best', async () => {
  const [ours, theirs] = [await newTenant(), await newTenant()];
  const input = await queueTuning(world, ours, { order: ORDER, settings: SETTINGS });
  const other = await queueTuning(world, theirs, { order: ORDER, settings: SETTINGS });
  await (await startTuning(world, input)).result();

  const { row, model, trials, events } = await readTuning(world, input);
  expect(row?.status).toBe('SUCCEEDED');
  expect(trials).toHaveLength(6);
  expect(trials[0]?.settings).toEqual({});
  for (const { status, curve } of trials) {
    expect(['DONE', 'STOPPED']).toContain(status);
    expect(status === 'DONE' ? curve.length : [3, 9].includes(curve.length)).toBe(status === 'DONE' ? 9 : true);
  }
  expect(trials.map(({ status }) => status)).toContain('STOPPED');
  const best = trials.toSorted((a, b) => Math.max(...b.curve) - Math.max(...a.curve))[0] ?? expect.fail();
  expect(row?.state.best).toEqual({ number: best.number, ndcgAt10: Math.max(...best.curve), settings: best.settings });
  expect(row?.state.appliedAt).not.toBeNull();
  expect(model?.settings).toEqual({ ...SETTINGS, ...best.settings });

  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
  const told = events.filter(({ body }) => body.kind === 'PROGRESSED' && 'trial' in body.details);
  expect(told).toHaveLength(trials.reduce((sum, { curve }) => sum + curve.length, 0));
  expect(events.at(-1)?.body).toMatchObject({ kind: 'FINISHED', status: 'SUCCEEDED' });
  expect(existsSync(`${fileURLToPath(world.addresses.objectStoreUrl)}/${jobFolder(input)}`)).toBe(false);
  expect(await readTuning(world, { ...input, tenantId: theirs })).toMatchObject({
    row: undefined,
    trials: [],
    events: [],
  });
  expect((await readTuning(world, other)).model?.settings).toEqual(SETTINGS);
}, 120_000);

test('a trial that cannot be tried is failed without what is internal, and the others decide', async () => {
  const tenantId = await newTenant();
  broken.set(tenantId, 1);
  const input = await queueTuning(world, tenantId, {
    order: { ...ORDER, trialCount: 3, epochs: 2, applies: false },
    settings: SETTINGS,
  });
  await (await startTuning(world, input)).result();
  const { row, model, trials } = await readTuning(world, input);
  expect(row).toMatchObject({ status: 'SUCCEEDED', state: { appliedAt: null } });
  expect(trials.map(({ status }) => status)).toEqual(['DONE', 'FAILED', 'DONE']);
  expect(trials[1]?.failure).toBe('A step failed or did not end in its time, however often it was tried.');
  expect(model?.settings).toEqual(SETTINGS);
}, 120_000);

test('a tuning that is cancelled stops within ten seconds, keeps the best so far, and changes no model', async () => {
  const tenantId = await newTenant();
  const input = await queueTuning(world, tenantId, {
    order: { ...ORDER, trialCount: 40, epochs: 50 },
    settings: { ...SETTINGS, epochs: 50 },
  });
  const handle = await startTuning(world, input);
  await expect.poll(async () => (await readTuning(world, input)).events.length, { timeout: 60_000 }).toBeGreaterThan(4);
  const askedAt = performance.now();
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  expect(performance.now() - askedAt).toBeLessThan(10_000);
  const { row, model, trials, events } = await readTuning(world, input);
  expect(row).toMatchObject({ status: 'CANCELLED', state: { appliedAt: null, best: { number: expect.any(Number) } } });
  expect(trials.filter(({ status }) => status === 'WAITING' || status === 'RUNNING')).toEqual([]);
  expect(events.at(-1)?.body).toMatchObject({ kind: 'FINISHED', status: 'CANCELLED' });
  expect(model?.settings).toEqual({ ...SETTINGS, epochs: 50 });
}, 120_000);

const daysOf = (tenantId: TenantId) =>
  withTenant(world.deps.db, tenantId, (tx) => listUsageDays(tx, new Date().toISOString().slice(0, 7)));

test('the plan of a tenant bounds how many trials compute at a time, and what they computed is in its month alone', async () => {
  const [ours, theirs] = [await newTenant(), await newTenant()];
  await withTenant(world.deps.db, ours, (tx) => changePlan(tx, 'FREE'));
  const order = { ...ORDER, trialCount: 4, parallelCount: 4, epochs: 3, applies: false };
  const input = await queueTuning(world, ours, { order, settings: SETTINGS });
  const handle = await startTuning(world, input);
  const ended = new AbortController();
  const result = handle.result().finally(() => ended.abort());
  let most = 0;
  while (!ended.signal.aborted) {
    const { trials } = await readTuning(world, input);
    most = Math.max(most, trials.filter(({ status }) => status === 'RUNNING').length);
  }
  await result;
  expect(most).toBe(1);
  expect((await readTuning(world, input)).row?.status).toBe('SUCCEEDED');
  const [day] = await daysOf(ours);
  expect(day).toMatchObject({ trainings: 4 });
  expect(day?.trainingCpuMs).toBeGreaterThan(100);
  expect((await daysOf(theirs)).map(({ trainings, trainingCpuMs }) => [trainings, trainingCpuMs])).toEqual([[0, 0]]);
}, 120_000);
