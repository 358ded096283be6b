import type { Hyperparameters } from '@kindred/domain/training';
import { createTestModel, createTestRun, TEST_SETTINGS } from '@kindred/testing/test-model';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { describe, expect, test } from 'vitest';
import { withTenant } from './tenants.ts';
import {
  findTrainingRuns,
  finishTrainingRun,
  fixHyperparameters,
  listTrainingRuns,
  RunOpenError,
  setQualityGate,
  setTrainingCompute,
  setTrainingPhase,
  startTrainingRun,
  steerTrainingRun,
} from './training-runs.ts';

const COMPLETE: Hyperparameters = {
  ...TEST_SETTINGS,
  loss: 'softmax',
  temperature: 0.15,
  initialDeviation: 0.1,
  userGroup: 1000,
  lengthExponent: 0.85,
};
const COMPUTE = { backend: 'native' as const, detail: 'avx2, 2 threads', reason: 'no GPU' };

describe('createTrainingRun', () => {
  test('allows one open run per model, and the transaction goes on', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      const model = await createTestModel(tx);
      const first = await createTestRun(tx, model);
      await expect(createTestRun(tx, model)).rejects.toThrow(RunOpenError);
      await startTrainingRun(tx, first.id);
      await expect(createTestRun(tx, model)).rejects.toThrow(RunOpenError);
      await finishTrainingRun(tx, { runId: first.id, status: 'FAILED', failure: 'too little data' });
      expect(await createTestRun(tx, model)).toMatchObject({ status: 'QUEUED', phase: null, lastSequence: 0 });
    });
  });

  test('of concurrent calls makes one run', async () => {
    await using world = await createTwoTenants();
    const { db, ours } = world;
    const model = await withTenant(db, ours.tenantId, (tx) => createTestModel(tx));
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => withTenant(db, ours.tenantId, (tx) => createTestRun(tx, model))),
    );
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      expect(result.status === 'fulfilled' || result.reason instanceof RunOpenError).toBe(true);
    }
  });

  test("does not find another tenant's model", async () => {
    await using world = await createTwoTenants();
    const { db, ours, theirs } = world;
    const model = await withTenant(db, theirs.tenantId, (tx) => createTestModel(tx));
    const run = withTenant(db, ours.tenantId, (tx) => createTestRun(tx, model));
    await expect(run).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a training run', () => {
  test('goes from QUEUED over RUNNING to its first ending, which stays', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      const { id: runId } = await createTestRun(tx, await createTestModel(tx));
      const started = await startTrainingRun(tx, runId, 'execution-1');
      const startedAt = expect.any(Date) as Date;
      expect(started).toMatchObject({ status: 'RUNNING', startedAt, executionId: 'execution-1' });
      expect(await startTrainingRun(tx, runId, 'execution-2')).toEqual(started);
      expect(await setTrainingPhase(tx, { runId, phase: 'TRAIN' })).toMatchObject({ phase: 'TRAIN' });
      const finished = await finishTrainingRun(tx, { runId, status: 'CANCELLED' });
      expect(finished).toMatchObject({ status: 'CANCELLED', failure: null, finishedAt: expect.any(Date) as Date });
      expect(await finishTrainingRun(tx, { runId, status: 'FAILED', failure: 'late' })).toEqual(finished);
      expect(await setTrainingPhase(tx, { runId, phase: 'PROMOTE' })).toEqual(finished);
      expect(await startTrainingRun(tx, runId)).toEqual(finished);
    });
  });

  test('keeps what it first trained with, and what computed it last', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      const run = await createTestRun(tx, await createTestModel(tx));
      const runId = run.id;
      expect(run).toMatchObject({ settings: TEST_SETTINGS, hyperparameters: null, compute: null });
      expect(await fixHyperparameters(tx, { runId, hyperparameters: COMPLETE })).toEqual(COMPLETE);
      const other = { ...COMPLETE, temperature: 0.2 };
      expect(await fixHyperparameters(tx, { runId, hyperparameters: other })).toEqual(COMPLETE);
      await setTrainingCompute(tx, { runId, compute: { ...COMPUTE, backend: 'reference' } });
      const computed = await setTrainingCompute(tx, { runId, compute: COMPUTE });
      expect(computed).toMatchObject({ hyperparameters: COMPLETE, compute: COMPUTE });
      const gate = { passed: true, checks: [] };
      expect(await setQualityGate(tx, { runId, gate })).toMatchObject({ qualityGate: gate });
      const finished = await finishTrainingRun(tx, { runId, status: 'SUCCEEDED' });
      expect(await setQualityGate(tx, { runId, gate: { ...gate, passed: false } })).toEqual(finished);
      expect(await setTrainingCompute(tx, { runId, compute: { ...COMPUTE, reason: 'late' } })).toEqual(finished);
    });
  });

  test('waits and goes on, and is told to stop, until its end', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      const { id: runId } = await createTestRun(tx, await createTestModel(tx));
      const at = expect.any(Date) as Date;
      await startTrainingRun(tx, runId);
      expect(await steerTrainingRun(tx, { runId, change: 'PAUSED' })).toMatchObject({ pausedAt: at, stoppingAt: null });
      expect(await steerTrainingRun(tx, { runId, change: 'RESUMED' })).toMatchObject({ pausedAt: null });
      await steerTrainingRun(tx, { runId, change: 'PAUSED' });
      expect(await steerTrainingRun(tx, { runId, change: 'STOPPING' })).toMatchObject({
        pausedAt: null,
        stoppingAt: at,
      });
      await steerTrainingRun(tx, { runId, change: 'PAUSED' });
      const finished = await finishTrainingRun(tx, { runId, status: 'SUCCEEDED' });
      expect(finished).toMatchObject({ pausedAt: null, stoppingAt: at });
      expect(await steerTrainingRun(tx, { runId, change: 'PAUSED' })).toEqual(finished);
    });
  });

  test('is neither found nor changed by another tenant', async () => {
    await using world = await createTwoTenants();
    const { db, ours, theirs } = world;
    const run = await withTenant(db, ours.tenantId, async (tx) => createTestRun(tx, await createTestModel(tx)));
    const attempts = [
      () => withTenant(db, theirs.tenantId, (tx) => startTrainingRun(tx, run.id)),
      () => withTenant(db, theirs.tenantId, (tx) => setTrainingPhase(tx, { runId: run.id, phase: 'TRAIN' })),
      () => withTenant(db, theirs.tenantId, (tx) => steerTrainingRun(tx, { runId: run.id, change: 'PAUSED' })),
      () =>
        withTenant(db, theirs.tenantId, (tx) =>
          setQualityGate(tx, { runId: run.id, gate: { passed: true, checks: [] } }),
        ),
      () => withTenant(db, theirs.tenantId, (tx) => finishTrainingRun(tx, { runId: run.id, status: 'FAILED' })),
      () => withTenant(db, theirs.tenantId, (tx) => setTrainingCompute(tx, { runId: run.id, compute: COMPUTE })),
      () =>
        withTenant(db, theirs.tenantId, (tx) => fixHyperparameters(tx, { runId: run.id, hyperparameters: COMPLETE })),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    expect(await withTenant(db, theirs.tenantId, (tx) => findTrainingRuns(tx, [run.id]))).toEqual([]);
    expect(await withTenant(db, theirs.tenantId, (tx) => listTrainingRuns(tx, { first: 10 }))).toEqual([]);
    expect(await withTenant(db, ours.tenantId, (tx) => findTrainingRuns(tx, [run.id]))).toEqual([run]);
  });
});

test('runs are listed newest first, of all models or of one, page after page', async () => {
  await using world = await createTwoTenants();
  await withTenant(world.db, world.ours.tenantId, async (tx) => {
    const models = [await createTestModel(tx, 'a'), await createTestModel(tx, 'b')];
    const ids: string[] = [];
    for (const model of [...models, ...models]) {
      const run = await createTestRun(tx, model);
      await finishTrainingRun(tx, { runId: run.id, status: 'SUCCEEDED' });
      ids.unshift(run.id);
    }
    const page = await listTrainingRuns(tx, { first: 3 });
    const rest = await listTrainingRuns(tx, { first: 3, afterId: page.at(-1)?.id });
    expect([...page, ...rest].map((run) => run.id)).toEqual(ids);
    const ofOne = await listTrainingRuns(tx, { modelId: models[0]?.id, first: 10 });
    expect(ofOne.map((run) => run.id)).toEqual([ids[1], ids[3]]);
  });
});
