import { createTestTenant } from '@kindred/testing/test-tenant';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { expect, test, vi } from 'vitest';
import { checkData } from '../activities/check-data.ts';
import { createDataActivities } from '../activities/create-activities.ts';
import { TASK_QUEUES, type TrainModelInput } from '../contract.ts';
import { spawnWorker } from '../testing/spawn-worker.ts';
import { openTrainingWorld, queueRun, readRun, startRun } from '../testing/training-world.ts';
import { makeBuildCurrent } from '../worker-version.ts';

test('a deploy leaves a run under way on the build that it began on, and begins new runs on the new one', async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  await using world = await openTrainingWorld();
  await using processes = new AsyncDisposableStack();
  const { namespace } = world;
  const connection = await NativeConnection.connect({ address: world.addresses.temporalAddress });
  const gate = Promise.withResolvers<void>();
  const begun: TrainModelInput[] = [];
  const data = await Worker.create({
    connection,
    namespace,
    taskQueue: TASK_QUEUES.data,
    activities: {
      ...createDataActivities({ ...world.deps, webhooks: world.webhooks }),
      checkData: async (input: TrainModelInput) => {
        begun.push(input);
        await gate.promise;
        await checkData(world.deps, input);
      },
    },
  });
  const running = data.run();
  const deploy = async (buildId: string) => {
    processes.use(await spawnWorker(world, 'workflows', { buildId }));
    await vi.waitFor(() => makeBuildCurrent(connection, { namespace, buildId }), { timeout: 60_000, interval: 500 });
  };
  const begin = async (count: number) => {
    const { tenantId } = await createTestTenant(world.deps.db);
    const input = await queueRun(world, tenantId);
    const handle = await startRun(world, input);
    await vi.waitFor(() => expect(begun).toHaveLength(count), { timeout: 60_000, interval: 200 });
    return { input, handle };
  };
  const buildOf = async ({ handle }: Awaited<ReturnType<typeof begin>>) =>
    (await handle.describe()).raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId;

  await deploy('one');
  const first = await begin(1);
  await deploy('two');
  const second = await begin(2);
  gate.resolve();
  await Promise.allSettled([first.handle.result(), second.handle.result()]);

  expect([await buildOf(first), await buildOf(second)]).toEqual(['one', 'two']);
  for (const { input } of [first, second]) {
    expect((await readRun(world, input)).run).toMatchObject({ status: 'FAILED', phase: 'PREFLIGHT' });
  }
  data.shutdown();
  await running;
  await connection.close();
}, 240_000);
