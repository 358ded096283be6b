import { openDevice } from '@kindred/core/lightgcn/webgpu/device';
import { createComputeActivities, createPresenceActivities } from '../activities/create-activities.ts';
import { GPU_PRESENCE_QUEUE } from '../contract.ts';
import { openActivityDeps } from './activity-deps.ts';
import { runWorker } from './run-worker.ts';

// One training at a time, as on the CPU. A machine without a GPU must not take work that was meant for one.
await runWorker('train-gpu', async (logger) => {
  const gpuName = await findGpu();
  logger.info({ gpuName }, 'This worker computes with a GPU');
  const { deps, readiness, close } = await openActivityDeps(logger);
  return {
    options: { activities: createComputeActivities(deps), maxConcurrentActivityTaskExecutions: 1 },
    presence: { taskQueue: GPU_PRESENCE_QUEUE, activities: createPresenceActivities(gpuName) },
    readiness,
    close,
  };
});

async function findGpu(): Promise<string> {
  try {
    const { name, device } = await openDevice({ needsHardware: true });
    // Trainings open their own, on their threads.
    device.destroy();
    return name;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`A worker of train-gpu wants a GPU, and there is none here: ${reason}. Run train-cpu instead.`, {
      cause,
    });
  }
}
