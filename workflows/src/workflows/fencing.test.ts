import { truncate } from 'node:fs/promises';
import { findVersionsByRuns } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { claimTrainingRun } from '@kindred/db/training-checkpoints';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test, vi } from 'vitest';
import { buildIndex } from '../activities/build-index.ts';
import { STEERING_SIGNALS, type TrainModelInput } from '../contract.ts';
import { versionFolder } from '@kindred/domain/version-manifest';
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

vi.setConfig({ testTimeout: 120_000 });

const PATIENT = { timeout: 60_000 };
const LONG = { ...SMALL, epochs: 100_000, patience: 100_000 };

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

async function startLongTraining(on = world) {
  const { tenantId } = await createTestTenant(on.deps.db);
  await seedCheckerboard(on.deps.db, tenantId, { userCount: 40, itemCount: 40 });
  const input = await queueRun(on, tenantId, LONG);
  return { input, handle: await startRun(on, input) };
}

async function epochsOf(input: TrainModelInput): Promise<number[]> {
  const { events } = await readRun(world, input);
  return events.flatMap(({ body }) => (body.kind === 'EPOCH_FINISHED' ? [body.epoch] : []));
}

const untilSaved = (input: TrainModelInput, count: number) =>
  expect.poll(async () => (await readRun(world, input)).run?.checkpoints.length, PATIENT).toBe(count);

const untilResumed = (input: TrainModelInput, epoch: number) =>
  expect.poll(() => linesOf(input), PATIENT).toContain(`Going on after epoch ${epoch}`);

async function linesOf(input: TrainModelInput): Promise<string[]> {
  const { events } = await readRun(world, input);
  return events.flatMap(({ body }) => (body.kind === 'LOG' ? [body.message] : []));
}

test('an attempt that another has taken over from tells and stores nothing more', async () => {
  const { input, handle } = await startLongTraining();
  await untilSaved(input, 2);
  // What a later attempt does first; the one under way knows nothing of it, as an orphan would not.
  const { fence, checkpoints } = await withTenant(world.deps.db, input.tenantId, (tx) =>
    claimTrainingRun(tx, input.runId),
  );
  expect(fence).toBe(2);
  const last = checkpoints[0]?.epoch ?? 0;
  await expect.poll(async () => (await readRun(world, input)).run?.fence, PATIENT).toBe(3);
  await untilResumed(input, last);
  await handle.signal(STEERING_SIGNALS.stop, { requestId: 'enough' });
  await handle.result();
  const epochs = await epochsOf(input);
  expect(epochs).toEqual(epochs.map((_, index) => index + 1));
});

test('a torn checkpoint costs the epochs since the one before, which are computed again and told once', async () => {
  const { input, handle } = await startLongTraining();
  await untilSaved(input, 2);
  await handle.signal(STEERING_SIGNALS.pause, { requestId: 'pause' });
  await expect.poll(async () => (await readRun(world, input)).run?.pausedAt, PATIENT).toBeInstanceOf(Date);
  const [newest, before] = (await readRun(world, input)).run?.checkpoints ?? [];
  await truncate(await world.deps.objects.materialize(newest?.key ?? ''), 10);
  await handle.signal(STEERING_SIGNALS.resume, { requestId: 'resume' });
  await untilResumed(input, before?.epoch ?? 0);
  await handle.signal(STEERING_SIGNALS.stop, { requestId: 'stop' });
  await handle.result();
  expect((await readRun(world, input)).run?.status).toBe('SUCCEEDED');
  const epochs = await epochsOf(input);
  expect(epochs).toEqual(epochs.map((_, index) => index + 1));
});

test('a run that is cancelled while its index is built leaves neither a version nor files of one', async () => {
  await using stack = new AsyncDisposableStack();
  const other = stack.use(await openTrainingWorld());
  const written: string[] = [];
  const hold = Promise.withResolvers<undefined>();
  stack.use(
    await runWorkers(other, {
      // Everything of the version is written; the attempt ends only after the run was cancelled, as a late one would.
      buildIndex: async (input) => {
        const version = await buildIndex(other.deps, input);
        if (version.algorithm === 'LIGHTGCN') {
          written.push(version.versionId, version.manifestKey);
          await hold.promise;
        }
        return version;
      },
    }),
  );
  const { tenantId } = await createTestTenant(other.deps.db);
  await seedCheckerboard(other.deps.db, tenantId, { userCount: 40, itemCount: 40 });
  const input = await queueRun(other, tenantId);
  const handle = await startRun(other, input);
  await expect.poll(() => written.length, PATIENT).toBe(2);
  const manifestKey = written[1] ?? '';
  expect(await other.deps.objects.exists(manifestKey)).toBe(true);
  await handle.cancel();
  hold.resolve(undefined);
  await expect(handle.result()).rejects.toThrow();
  expect((await readRun(other, input)).run?.status).toBe('CANCELLED');
  const versions = await withTenant(other.deps.db, tenantId, (tx) => findVersionsByRuns(tx, [input.runId]));
  expect(versions.map(({ algorithm, status }) => `${algorithm} ${status}`)).toEqual(['SPECTRAL ACTIVE']);
  expect(manifestKey.startsWith(versionFolder(tenantId, written[0] as never))).toBe(true);
  expect(await other.deps.objects.exists(manifestKey)).toBe(false);
});
