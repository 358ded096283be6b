import { NativeConnection, Worker } from '@temporalio/worker';
import {
  type ComputeActivities,
  createComputeActivities,
  createDataActivities,
  type DataActivities,
} from '../activities/create-activities.ts';
import { TASK_QUEUES } from '../contract.ts';
import { WORKFLOWS_PATH } from '../workflows-path.ts';
import type { TrainingWorld } from './training-world.ts';

/** Workers of all queues in this process; `replaced` takes the place of the activities of its names. */
export async function runWorkers(
  { deps, namespace, addresses, webhooks }: TrainingWorld,
  replaced: Partial<DataActivities & ComputeActivities> = {},
): Promise<AsyncDisposable> {
  const connection = await NativeConnection.connect({ address: addresses.temporalAddress });
  const common = { connection, namespace, maxHeartbeatThrottleInterval: 500 };
  const workers = await Promise.all([
    Worker.create({ ...common, taskQueue: TASK_QUEUES.workflows, workflowsPath: WORKFLOWS_PATH }),
    Worker.create({
      ...common,
      taskQueue: TASK_QUEUES.data,
      activities: { ...createDataActivities({ ...deps, webhooks }), ...replaced },
    }),
    Worker.create({
      ...common,
      taskQueue: TASK_QUEUES['train-cpu'],
      activities: { ...createComputeActivities(deps), ...replaced },
    }),
  ]);
  const running = workers.map((worker) => worker.run());
  return {
    async [Symbol.asyncDispose]() {
      for (const worker of workers) {
        worker.shutdown();
      }
      await Promise.all(running);
      await connection.close();
    },
  };
}
