import { newId, type TenantId, type TuningId } from '@kindred/domain/ids';
import { PLANS } from '@kindred/domain/plans';
import { createTestModel, createTestRun } from '@kindred/testing/test-model';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import {
  addJobCpu,
  appendJobEvent,
  cancelAbandonedJob,
  createJob,
  finishJob,
  JobSupersededError,
  startJob,
} from './jobs.ts';
import { type TenantTx, withTenant } from './tenants.ts';
import { admitBatch, admitTrainingRun, admitTrial } from './training-admission.ts';
import { endTrial, planTrials } from './tuning-trials.ts';
import { changePlan, listUsageDays } from './usage.ts';

const PLACES = PLANS.GROWTH.concurrentTrainings;

/** Two tenants with fewer places than the tests have work. */
async function createWorld() {
  const world = await createTwoTenants();
  const within = <T>(tenantId: TenantId, work: (tx: TenantTx) => Promise<T>) => withTenant(world.db, tenantId, work);
  const [ours, theirs] = [world.ours.tenantId, world.theirs.tenantId];
  for (const tenantId of [ours, theirs]) await within(tenantId, (tx) => changePlan(tx, 'GROWTH'));
  return { ours, theirs, within, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

async function startTuning(tx: TenantTx, trialCount: number): Promise<TuningId> {
  const id = newId('Tuning');
  const { id: modelId } = await createTestModel(tx, id);
  await createJob(tx, { id, kind: 'TUNING', modelId, order: { trialCount } });
  await startJob(tx, id, {});
  await planTrials(tx, { tuningId: id, points: Array.from({ length: trialCount }, () => ({})) });
  return id;
}

async function queueBatch(tx: TenantTx) {
  const id = newId('BatchRecommendation');
  const { id: modelId } = await createTestModel(tx, id);
  await createJob(tx, { id, kind: 'BATCH_RECOMMENDATION', modelId, order: {} });
  return id;
}

const admit = (tx: TenantTx, tuningId: TuningId, numbers: readonly number[]) =>
  numbers.reduce<Promise<boolean[]>>(
    async (before, number) => [...(await before), await admitTrial(tx, { tuningId, number })],
    Promise.resolve([]),
  );

test('trials take the places of the plan and give them back, and take none of another tenant', async () => {
  await using world = await createWorld();
  const { ours, theirs, within } = world;
  const tuningId = await within(ours, (tx) => startTuning(tx, PLACES + 1));
  const all = Array.from({ length: PLACES + 1 }, (_, number) => number);
  expect(await within(ours, (tx) => admit(tx, tuningId, all))).toEqual([true, true, false]);
  const other = await within(theirs, (tx) => startTuning(tx, 1));
  expect(await within(theirs, (tx) => admit(tx, other, [0]))).toEqual([true]);
  await within(ours, (tx) => endTrial(tx, { tuningId, number: 0, status: 'DONE', failure: null }));
  expect(await within(ours, (tx) => admit(tx, tuningId, [PLACES]))).toEqual([true]);
});

test('of trials at once exactly as many begin as there are places', async () => {
  await using world = await createWorld();
  const { ours, within } = world;
  const tuningId = await within(ours, (tx) => startTuning(tx, 8));
  const admitted = await Promise.all(
    Array.from({ length: 8 }, (_, number) => within(ours, (tx) => admitTrial(tx, { tuningId, number }))),
  );
  expect(admitted.filter(Boolean)).toHaveLength(PLACES);
});

test('a training does not begin while trials have all places, and goes before the trials that wait', async () => {
  await using world = await createWorld();
  const { ours, within } = world;
  const tuningId = await within(ours, (tx) => startTuning(tx, PLACES + 1));
  await within(ours, (tx) => admit(tx, tuningId, [0, 1]));
  const run = await within(ours, async (tx) => createTestRun(tx, await createTestModel(tx, 'trained')));
  const ask = () => within(ours, (tx) => admitTrainingRun(tx, { runId: run.id, executionId: null }));
  expect((await ask()).position).toBe(1);
  await within(ours, (tx) => endTrial(tx, { tuningId, number: 0, status: 'DONE', failure: null }));
  expect(await within(ours, (tx) => admit(tx, tuningId, [PLACES]))).toEqual([false]);
  expect((await ask()).position).toBeNull();
});

test('a batch waits for a place, keeps it until it ends, and asks for no second one', async () => {
  await using world = await createWorld();
  const { ours, theirs, within } = world;
  const tuningId = await within(ours, (tx) => startTuning(tx, PLACES));
  await within(ours, (tx) => admit(tx, tuningId, [0, 1]));
  const batch = await within(ours, queueBatch);
  expect(await within(ours, (tx) => admitBatch(tx, batch))).toBe(false);
  const other = await within(theirs, queueBatch);
  expect(await within(theirs, (tx) => admitBatch(tx, other))).toBe(true);
  await within(ours, (tx) => finishJob(tx, { id: tuningId, status: 'CANCELLED', failure: null }));
  expect(await within(ours, (tx) => admitBatch(tx, batch))).toBe(true);
  const next = await within(ours, (tx) => startTuning(tx, PLACES));
  expect(await within(ours, (tx) => admit(tx, next, [0, 1]))).toEqual([true, false]);
  expect(await within(ours, (tx) => admitBatch(tx, batch))).toBe(true);
  await within(ours, (tx) => finishJob(tx, { id: batch, status: 'SUCCEEDED', failure: null }));
  expect(await within(ours, (tx) => admit(tx, next, [1]))).toEqual([true]);
});

test('a tuning counts as so many trainings of the month as it has trials, with the time that they computed', async () => {
  await using world = await createWorld();
  const { ours, theirs, within } = world;
  const month = new Date().toISOString().slice(0, 7);
  await within(ours, async (tx) => {
    const tuningId = await startTuning(tx, 5);
    await queueBatch(tx);
    await addJobCpu(tx, tuningId, 1_500.4);
    await addJobCpu(tx, tuningId, 500);
    expect(await listUsageDays(tx, month)).toMatchObject([{ trainings: 5, trainingCpuMs: 2_000 }]);
  });
  await within(theirs, async (tx) => {
    expect(await listUsageDays(tx, month)).toEqual([]);
  });
});

test('nothing follows the last event of a job, whoever was about to tell more', async () => {
  await using world = await createWorld();
  const { ours, within } = world;
  const tuningId = await within(ours, (tx) => startTuning(tx, 2));
  const body = { kind: 'PROGRESSED' as const, message: 'further', details: {} };
  const tell = (tx: TenantTx) => appendJobEvent(tx, { jobId: tuningId, dedupeKey: 'late', at: Date.now(), body });
  await within(ours, (tx) => cancelAbandonedJob(tx, tuningId, 'The tuning was cancelled.'));
  await expect(within(ours, tell)).rejects.toThrow(JobSupersededError);
});
