import { findServingVersion, findVersionsByRuns } from '@kindred/db/model-versions';
import { upsertItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import type { ModelVersionId } from '@kindred/domain/ids';
import { decodeVersionManifest } from '@kindred/domain/version-manifest';
import { promotionTopic, trainingTopic } from '@kindred/domain/training';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { runWorkers } from '../testing/run-workers.ts';
import {
  openTrainingWorld,
  queueRun,
  readRun,
  SMALL,
  startRun,
  type TrainingWorld,
} from '../testing/training-world.ts';
import { openWorldAroundTests } from '../testing/world-around-tests.ts';

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

async function checkerboardTenant() {
  const { tenantId } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 40, itemCount: 40 });
  return tenantId;
}

test('a training ends with an active version, its figures, whole files, and events without gaps', async () => {
  const tenantId = await checkerboardTenant();
  const input = await queueRun(world, tenantId);
  const { versionId } = await (await startRun(world, input)).result();

  const { run, events } = await readRun(world, input);
  expect(run).toMatchObject({ status: 'SUCCEEDED', failure: null, phase: 'PROMOTE' });
  expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1));
  const kinds = events.map(({ body }) => ('phase' in body ? body.phase : body.kind));
  expect(kinds.filter((kind) => kind !== 'EPOCH_FINISHED' && kind !== 'LOG')).toEqual([
    ...'PREFLIGHT SNAPSHOT INSTANT_MODEL BASELINE_EVALUATED BASELINE_EVALUATED TRAIN'.split(' '),
    ...'EVALUATE BASELINE_EVALUATED BASELINE_EVALUATED MODEL_EVALUATED BUILD_INDEX PROMOTE FINISHED'.split(' '),
  ]);

  const serving = await withTenant(world.deps.db, tenantId, findServingVersion);
  expect(serving).toMatchObject({ id: versionId, status: 'ACTIVE', algorithm: 'LIGHTGCN', runId: input.runId });
  expect(serving?.metrics?.ndcgAt10).toBeGreaterThan(0);
  expect(serving?.baselines.map((baseline) => baseline.name)).toEqual(['POPULARITY', 'SPECTRAL']);
  expect(serving?.indexSummary?.recallAt20).toBeGreaterThan(0.9);
  const manifestBytes = await world.deps.objects.get(serving?.artefactKey ?? '');
  const manifest = decodeVersionManifest(manifestBytes, { tenantId, versionId });
  expect(await world.deps.objects.exists(manifest.artefact.key)).toBe(true);
  expect(run?.checkpoints[0]?.epoch).toBe(SMALL.epochs);
  for (const { key } of run?.checkpoints ?? []) expect(await world.deps.objects.exists(key)).toBe(false);
});

test('the run keeps what it trained with, down to what its data decided, and what computed it', async () => {
  const tenantId = await checkerboardTenant();
  const { epochs, dimension } = SMALL;
  const input = await queueRun(world, tenantId, { epochs, dimension });
  await (await startRun(world, input)).result();
  const { run } = await readRun(world, input);
  expect(run?.settings).toEqual({ epochs, dimension });
  // 680 interactions are trained on, which is small: the batch is the smallest.
  expect(run?.hyperparameters).toMatchObject({ epochs, dimension, loss: 'softmax', batchSize: 64, negatives: 64 });
  expect(run?.compute).toEqual({
    backend: expect.stringMatching(/^(native|reference|webgpu|tfjs)$/) as string,
    detail: expect.stringMatching(/./) as string,
    reason: expect.stringMatching(/./) as string,
  });
});

test('a tenant whom nothing answers is answered by a model without training before the first epoch', async () => {
  const tenantId = await checkerboardTenant();
  const stay = { ...SMALL, epochs: 100_000, patience: 100_000 };
  const first = await queueRun(world, tenantId, stay);
  const handle = await startRun(world, first);
  const serving = () => withTenant(world.deps.db, tenantId, findServingVersion);
  await expect.poll(async () => (await serving())?.status, { timeout: 20_000 }).toBe('ACTIVE');
  const instant = await serving();
  expect(instant).toMatchObject({ algorithm: 'SPECTRAL', number: 1, runId: first.runId });
  expect(instant?.metrics?.ndcgAt10).toBeGreaterThan(instant?.baselines[0]?.metrics.ndcgAt10 ?? 1);
  const manifestBytes = await world.deps.objects.get(instant?.artefactKey ?? '');
  const manifest = decodeVersionManifest(manifestBytes, { tenantId, versionId: instant?.id as ModelVersionId });
  expect(await world.deps.objects.exists(manifest.artefact.key)).toBe(true);

  await expect.poll(async () => (await readRun(world, first)).run?.phase, { timeout: 20_000 }).toBe('TRAIN');
  const { events } = await readRun(world, first);
  const line = events.findIndex(({ body }) => body.kind === 'LOG' && body.message.startsWith('Version 1, the instant'));
  const training = events.findIndex(({ body }) => body.kind === 'PHASE_STARTED' && body.phase === 'TRAIN');
  expect(line).toBeGreaterThan(0);
  expect(line).toBeLessThan(training);
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  expect(await serving()).toEqual(instant);
});

test('the trained version takes over from the instant one, and a later training makes no other instant one', async () => {
  const tenantId = await checkerboardTenant();
  const first = await queueRun(world, tenantId);
  await (await startRun(world, first)).result();
  const second = await queueRun(world, tenantId);
  await (await startRun(world, second)).result();
  const versions = await withTenant(world.deps.db, tenantId, (tx) =>
    findVersionsByRuns(tx, [first.runId, second.runId]),
  );
  const told = versions.map(({ runId, algorithm, status }) =>
    [runId === first.runId ? 1 : 2, algorithm, status].join(' '),
  );
  expect(told.toSorted()).toEqual(['1 LIGHTGCN ACTIVE', '1 SPECTRAL RETIRED', '2 LIGHTGCN ACTIVE']);
});

test('live events and the promotion are published while they happen', async () => {
  const tenantId = await checkerboardTenant();
  const input = await queueRun(world, tenantId);
  const live = world.deps.events.subscribe(trainingTopic(tenantId, input.runId));
  const promotions = world.deps.events.subscribe(promotionTopic(tenantId));
  await Promise.all([live.ready, promotions.ready]);
  const { versionId } = await (await startRun(world, input)).result();

  const sequences: number[] = [];
  for await (const message of live) {
    const event = JSON.parse(message) as { sequence: number; body: { kind: string } };
    sequences.push(event.sequence);
    if (event.body.kind === 'FINISHED') {
      break;
    }
  }
  expect(sequences).toEqual(sequences.map((_, index) => index + 1));
  const promoted: string[] = [];
  for await (const message of promotions) {
    promoted.push((JSON.parse(message) as { versionId: string }).versionId);
    if (promoted.length === 2) break;
  }
  expect(promoted).toEqual([expect.not.stringMatching(versionId), versionId]);
});

test('a training without enough data fails with what was wanted and what there is', async () => {
  const { tenantId } = await createTestTenant(world.deps.db);
  await withTenant(world.deps.db, tenantId, (tx) =>
    upsertItems(tx, [{ externalId: 'only', title: 'Only', categories: [], properties: {} }]),
  );
  const input = await queueRun(world, tenantId);
  await expect((await startRun(world, input)).result()).rejects.toThrow();
  const { run, events } = await readRun(world, input);
  const failure =
    'A training needs at least 5 users, 10 items and 50 interactions; there are 0 users, 1 items and 0 interactions.';
  expect(run).toMatchObject({ status: 'FAILED', failure });
  expect(events.at(-1)?.body).toEqual({ kind: 'FINISHED', status: 'FAILED', message: failure });
});

test('of two trainings of one model that start at once, one is let through', async () => {
  const tenantId = await checkerboardTenant();
  const input = await queueRun(world, tenantId);
  const starts = await Promise.allSettled([startRun(world, input), startRun(world, input)]);
  const started = starts.filter((start) => start.status === 'fulfilled').map((start) => start.value);
  const refused = starts.filter((start) => start.status === 'rejected').map((start) => start.reason as unknown);
  expect(started).toHaveLength(1);
  expect(refused).toEqual([expect.any(WorkflowExecutionAlreadyStartedError)]);
  await started[0]?.result();
  expect((await readRun(world, input)).run?.status).toBe('SUCCEEDED');
});

test('early stopping keeps the best epoch and ends the training before its epochs are done', async () => {
  const tenantId = await checkerboardTenant();
  const input = await queueRun(world, tenantId, { ...SMALL, epochs: 200, patience: 2 });
  await (await startRun(world, input)).result();
  const { events } = await readRun(world, input);
  const epochs = events.map(({ body }) => body).filter((body) => body.kind === 'EPOCH_FINISHED');
  const best = epochs.reduce((a, b) => (b.ndcgAt10 > a.ndcgAt10 ? b : a));
  expect(epochs.length).toBeLessThan(200);
  expect(epochs.length).toBe(best.epoch + 2);
});

test('a cancelled training stops its thread and ends as CANCELLED', async () => {
  const tenantId = await checkerboardTenant();
  const input = await queueRun(world, tenantId, { ...SMALL, epochs: 100_000, patience: 100_000 });
  const handle = await startRun(world, input);
  await expect.poll(async () => (await readRun(world, input)).run?.phase, { timeout: 20_000 }).toBe('TRAIN');
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  const { run, events } = await readRun(world, input);
  expect(run?.status).toBe('CANCELLED');
  expect(events.at(-1)?.body).toMatchObject({ kind: 'FINISHED', status: 'CANCELLED' });
});

test('a step that fails for good ends the run as FAILED and keeps what is internal to itself', async () => {
  await using stack = new AsyncDisposableStack();
  const broken = stack.use(await openTrainingWorld());
  const evaluateModel = async () => {
    throw ApplicationFailure.nonRetryable('connect ECONNREFUSED 10.0.0.7:5432', 'DatabaseGone');
  };
  stack.use(await runWorkers(broken, { evaluateModel }));
  const { tenantId } = await createTestTenant(broken.deps.db);
  await seedCheckerboard(broken.deps.db, tenantId, { userCount: 10, itemCount: 20 });
  const input = await queueRun(broken, tenantId, { ...SMALL, epochs: 1 });
  await expect((await startRun(broken, input)).result()).rejects.toThrow();
  const { run, events } = await readRun(broken, input);
  expect(run).toMatchObject({ status: 'FAILED', phase: 'TRAIN' });
  expect(run?.failure).toContain('The version that served before still serves.');
  expect(run?.failure).toMatch(/^The training stopped while measuring the model/);
  expect(events.at(-1)?.body).toMatchObject({ kind: 'FINISHED', status: 'FAILED' });
  expect(JSON.stringify([run, events])).not.toContain('10.0.0.7');
});
