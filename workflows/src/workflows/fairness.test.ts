import { createTestTenant } from '@kindred/testing/test-tenant';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import type { TenantId } from '@kindred/domain/ids';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createComputeActivities, createDataActivities } from '../activities/create-activities.ts';
import { TASK_QUEUES, TRAIN_MODEL, trainingStart } from '../contract.ts';
import { openTrainingWorld, queueRun, type TrainingWorld } from '../testing/training-world.ts';
import { WORKFLOWS_PATH } from '../workflows-path.ts';

vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

/** As many as the plan lets compute at one time. */
const BACKLOG = 8;

let world: TrainingWorld;
let connection: NativeConnection;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  world = await openTrainingWorld();
  connection = await NativeConnection.connect({ address: world.addresses.temporalAddress });
  const activities = createDataActivities({ ...world.deps, webhooks: world.webhooks });
  await run({ taskQueue: TASK_QUEUES.workflows, workflowsPath: WORKFLOWS_PATH });
  await run({ taskQueue: TASK_QUEUES.data, activities });
});

afterAll(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await connection.close();
  await world[Symbol.asyncDispose]();
});

async function run(options: Omit<Parameters<typeof Worker.create>[0], 'connection' | 'namespace'>): Promise<void> {
  const worker = await Worker.create({ connection, namespace: world.namespace, ...options });
  const running = worker.run();
  stops.push(async () => {
    worker.shutdown();
    await running;
  });
}

async function boardTenant(): Promise<TenantId> {
  const { tenantId } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 20, itemCount: 20 });
  return tenantId;
}

/** Starts a training as the API does, and waits until it waits for a worker that computes. */
async function startTraining(tenantId: TenantId): Promise<WorkflowHandle> {
  const options = { ...trainingStart(await queueRun(world, tenantId)), taskQueue: TASK_QUEUES.workflows };
  const handle = await world.client.workflow.start(TRAIN_MODEL, options);
  await vi.waitFor(
    async () => {
      const { raw } = await handle.describe();
      expect(raw.pendingActivities?.map(({ activityType }) => activityType?.name)).toContain('fitInstantModel');
    },
    { timeout: 120_000, interval: 200 },
  );
  return handle;
}

test("a tenant's single training is served before the trainings that another tenant queued before it", async () => {
  const [busy, other] = [await boardTenant(), await boardTenant()];
  const handles = [];
  for (let count = 0; count < BACKLOG; count += 1) handles.push(await startTraining(busy));
  handles.push(await startTraining(other));

  const served: TenantId[] = [];
  const compute = createComputeActivities(world.deps);
  const fitInstantModel: typeof compute.fitInstantModel = async (input) => {
    served.push(input.tenantId);
    return compute.fitInstantModel(input);
  };
  await run({
    taskQueue: TASK_QUEUES['train-cpu'],
    activities: { ...compute, fitInstantModel },
    maxConcurrentActivityTaskExecutions: 1,
  });
  await vi.waitFor(() => expect(served).toContain(other), { timeout: 200_000, interval: 100 });
  await Promise.all(handles.map((handle) => handle.cancel()));
  await Promise.allSettled(handles.map((handle) => handle.result()));
  expect(served.indexOf(other)).toBeLessThan(BACKLOG / 2);
});
