import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { ChosenDevice, DeviceRequest } from '@kindred/domain/training-device';
import type { ComputeActivities, DataActivities } from '../activities/create-activities.ts';
import type { ModelRef } from '../store-model.ts';
import { TASK_QUEUES, type TrainModelInput } from '../contract.ts';
import { chooseDevice, isNotTaken } from './choose-device.ts';

const { noteDevice } = proxyActivities<DataActivities>({
  taskQueue: TASK_QUEUES.data,
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 8 },
});

// Busy workers take nothing: when none took the step for so long, it is asked anew whether there is one.
const onGpu = proxyActivities<ComputeActivities>({
  taskQueue: TASK_QUEUES['train-gpu'],
  startToCloseTimeout: '24 hours',
  scheduleToStartTimeout: '10 minutes',
  heartbeatTimeout: '10 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 8 },
});

type TrainingInput = Parameters<ComputeActivities['trainEmbeddings']>[0];

/** Trains on the device of the run's choice, and chooses anew should the workers of that be gone. */
export interface DeviceTraining {
  train: (input: TrainingInput) => Promise<ModelRef>;
}

/** Begins to choose while the steps before the training run; `onCpu` trains without a GPU. */
export function openDeviceTraining(
  run: TrainModelInput,
  { request, onCpu }: { request: DeviceRequest; onCpu: ComputeActivities['trainEmbeddings'] },
): DeviceTraining {
  let count = 0;
  const choose = async (): Promise<ChosenDevice> => {
    const chosen = await chooseDevice(request);
    count += 1;
    await noteDevice({ ...run, chosen, count });
    return chosen;
  };
  let choosing = choose();
  // Whoever trains is told of a failure; a run that ends before has its own.
  choosing.catch(() => undefined);
  return {
    train: async (input) => {
      while (true) {
        const { device } = await choosing;
        if (device === 'CPU') {
          return await onCpu(input);
        }
        try {
          return await onGpu.trainEmbeddings(input);
        } catch (error) {
          if (!isNotTaken(error)) {
            throw error;
          }
          choosing = choose();
        }
      }
    },
  };
}
