import { once } from 'node:events';
import { createModel } from '@kindred/db/models';
import { countAhead } from '@kindred/db/training-admission';
import { createTrainingRun, findTrainingRuns } from '@kindred/db/training-runs';
import { withTenant } from '@kindred/db/tenants';
import { changePlan } from '@kindred/db/usage';
import { newId, type TenantId } from '@kindred/domain/ids';
import { PLANS } from '@kindred/domain/plans';
import type { DeviceRequest } from '@kindred/domain/training-device';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { Context } from '@temporalio/activity';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { checkData } from '../activities/check-data.ts';
import { createComputeActivities, createPresenceActivities } from '../activities/create-activities.ts';
import { GPU_PRESENCE_QUEUE, TASK_QUEUES, type TrainModelInput } from '../contract.ts';
import { runWorkers } from '../testing/run-workers.ts';
import { spawnWorkerProcess } from '../testing/spawn-worker.ts';
import { openTrainingWorld, readRun, SMALL, startRun, type TrainingWorld } from '../testing/training-world.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const PLACES = PLANS.GROWTH.concurrentTrainings;

let world: TrainingWorld;
let workers: AsyncDisposable;
const begun: TrainModelInput[] = [];
const gate = Promise.withResolvers<void>();
const held = new Set<TenantId>();

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  world = await openTrainingWorld();
  workers = await runWorkers(world, {
    checkData: async (input) => {
      begun.push(input);
      if (held.has(input.tenantId)) await gate.promise;
      await checkData(world.deps, input);
    },
  });
});

afterAll(async () => {
  await workers[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function queue(tenantId: TenantId, device?: DeviceRequest): Promise<TrainModelInput> {
  const [modelId, runId] = [newId('Model'), newId('TrainingRun')];
  await withTenant(world.deps.db, tenantId, async (tx) => {
    await createModel(tx, { id: modelId, name: modelId, algorithm: 'LIGHTGCN', settings: SMALL });
    await createTrainingRun(tx, { id: runId, modelId, settings: SMALL, ...(device && { device }) });
  });
  return { tenantId, runId, modelId };
}

/** With fewer places than the test has runs. */
async function growthTenant(): Promise<TenantId> {
  const { tenantId } = await createTestTenant(world.deps.db);
  await withTenant(world.deps.db, tenantId, (tx) => changePlan(tx, 'GROWTH'));
  return tenantId;
}

async function boardTenant(): Promise<TenantId> {
  const { tenantId } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 40, itemCount: 40 });
  return tenantId;
}

/** Its workflow has asked for a place. */
async function waitUntilAsked({ tenantId, runId: id }: TrainModelInput): Promise<void> {
  await vi.waitFor(async () => {
    const row = await withTenant(world.deps.db, tenantId, (tx) =>
      tx.client.trainingRun.findFirst({ where: { tenantId, id } }),
    );
    expect(row?.askedAt).not.toBeNull();
  }, 60_000);
}

test('a tenant with many runs has its number of places and a queue in order, and keeps no other tenant waiting', async () => {
  const [busy, other] = await Promise.all([growthTenant(), growthTenant()]);
  held.add(busy).add(other);
  const runs: TrainModelInput[] = [];
  while (runs.length < 5) runs.push(await queue(busy));
  const single = await queue(other);
  const handles = [];
  for (const run of [...runs, single]) {
    handles.push(await startRun(world, run));
    await waitUntilAsked(run);
  }
  const waiting = runs.slice(PLACES).map(({ runId }) => runId);
  const read = (tenantId: TenantId, ids: readonly TrainModelInput['runId'][]) =>
    withTenant(world.deps.db, tenantId, async (tx) => ({
      rows: await findTrainingRuns(tx, ids),
      ahead: await countAhead(tx, ids),
    }));
  await vi.waitFor(async () => {
    expect((await read(other, [single.runId])).rows).toMatchObject([{ status: 'RUNNING' }]);
    const { ahead } = await read(busy, waiting);
    expect(waiting.map((id) => ahead.get(id) ?? 0)).toEqual([0, 1, 2]);
    const { rows } = await read(
      busy,
      runs.map(({ runId }) => runId),
    );
    const running = rows.filter(({ status }) => status === 'RUNNING').map(({ id }) => id);
    expect(running.toSorted()).toEqual(runs.slice(0, PLACES).map(({ runId }) => runId));
  }, 60_000);

  gate.resolve();
  await Promise.allSettled(handles.map((handle) => handle.result()));
  const order = begun.filter(({ tenantId }) => tenantId === busy).map(({ runId }) => runId);
  expect(order.slice(PLACES)).toEqual(waiting);
});

test('a run that nobody gave a place can be cancelled', async () => {
  const tenantId = await growthTenant();
  await withTenant(world.deps.db, tenantId, async (tx) => {
    for (const id of Array.from({ length: PLACES }, () => newId('Model'))) {
      await createModel(tx, { id, name: id, algorithm: 'LIGHTGCN', settings: SMALL });
      await createTrainingRun(tx, { id: newId('TrainingRun'), modelId: id, settings: SMALL });
    }
    await tx.client.trainingRun.updateMany({ where: { tenantId }, data: { status: 'RUNNING' } });
  });
  const run = await queue(tenantId);
  const handle = await startRun(world, run);
  await waitUntilAsked(run);
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  expect((await readRun(world, run)).run).toMatchObject({ status: 'CANCELLED' });
});

test('without a GPU a run computes on the CPU and says why, or fails where it may not', async () => {
  const tenantId = await boardTenant();
  const strictTenant = await boardTenant();
  const runs = [
    await queue(tenantId),
    await queue(tenantId, { wish: 'GPU', mayFallBack: true }),
    await queue(strictTenant, { wish: 'GPU', mayFallBack: false }),
    await queue(strictTenant, { wish: 'CPU', mayFallBack: true }),
  ];
  const handles = await Promise.all(runs.map((run) => startRun(world, run)));
  await Promise.allSettled(handles.map((handle) => handle.result()));
  const rows = await Promise.all(runs.map(async (run) => await readRun(world, run)));
  const told = rows.map(({ run }) => [run?.status, run?.device, run?.deviceReason, run?.failure]);
  expect(told).toEqual([
    ['SUCCEEDED', 'CPU', 'no worker with a GPU answered within 2 seconds', null],
    ['SUCCEEDED', 'CPU', 'a GPU was asked for, but no worker with a GPU answered within 20 seconds', null],
    ['FAILED', null, null, 'A GPU was asked for, and no worker with a GPU answered within 20 seconds.'],
    ['SUCCEEDED', 'CPU', 'it was asked for', null],
  ]);
  expect(rows[1]?.events.map(({ body }) => ('message' in body ? body.message : ''))).toContain(
    'Computing on the CPU: a GPU was asked for, but no worker with a GPU answered within 20 seconds',
  );
});

test('where a worker with a GPU is there, a run that is not asked for the CPU trains on it', async () => {
  const tenantId = await boardTenant();
  const connection = await NativeConnection.connect({ address: world.addresses.temporalAddress });
  const common = { connection, namespace: world.namespace };
  const trainedOn: string[] = [];
  const compute = createComputeActivities(world.deps);
  const gpuWorkers = await Promise.all([
    Worker.create({
      ...common,
      taskQueue: GPU_PRESENCE_QUEUE,
      activities: createPresenceActivities('a GPU of the test'),
    }),
    Worker.create({
      ...common,
      taskQueue: TASK_QUEUES['train-gpu'],
      activities: {
        trainEmbeddings: (input: Parameters<typeof compute.trainEmbeddings>[0]) => {
          trainedOn.push(`${input.runId} ${Context.current().info.taskQueue}`);
          return compute.trainEmbeddings(input);
        },
      },
    }),
  ]);
  const running = gpuWorkers.map((worker) => worker.run());
  const [auto, onCpu] = [await queue(tenantId), await queue(tenantId, { wish: 'CPU', mayFallBack: true })];
  for (const handle of [await startRun(world, auto), await startRun(world, onCpu)]) await handle.result();
  for (const worker of gpuWorkers) worker.shutdown();
  await Promise.all(running);
  await connection.close();
  expect(trainedOn).toEqual([`${auto.runId} train-gpu`]);
  expect((await readRun(world, auto)).run).toMatchObject({ device: 'GPU', deviceReason: 'a GPU of the test is there' });
  expect((await readRun(world, onCpu)).run).toMatchObject({ device: 'CPU' });
});

test('a worker of train-gpu on a machine without one ends at once and says so', async () => {
  const child = spawnWorkerProcess(world, 'train-gpu');
  const output: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(output.join('')).toContain('A worker of train-gpu wants a GPU, and there is none here: no hardware adapter');
});
