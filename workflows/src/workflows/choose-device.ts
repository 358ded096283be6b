import { ActivityFailure, ApplicationFailure, proxyActivities, TimeoutFailure } from '@temporalio/workflow';
import type { ChosenDevice, DeviceRequest } from '@kindred/domain/training-device';
import type { PresenceActivities } from '../activities/create-activities.ts';
import { GPU_PRESENCE_QUEUE } from '../contract.ts';
import type { PermanentFailure } from '../failures.ts';

/** How long a GPU worker has to say that it is there: one that is does within moments. */
const WAITS = { AUTO: '2 seconds', GPU: '20 seconds' } as const;

/**
 * What the run computes with: a GPU if it was not asked for the CPU and a worker with one is there, be it busy.
 * @throws ApplicationFailure NoGpu when there is none, the run was asked for one and may not do without.
 */
export async function chooseDevice({ wish, mayFallBack }: DeviceRequest): Promise<ChosenDevice> {
  if (wish === 'CPU') {
    return { device: 'CPU', reason: 'it was asked for' };
  }
  const gpu = await findGpu(wish);
  if (gpu !== null) {
    return { device: 'GPU', reason: wish === 'GPU' ? `${gpu} was asked for` : `${gpu} is there` };
  }
  const absence = `no worker with a GPU answered within ${WAITS[wish]}`;
  if (wish === 'AUTO') {
    return { device: 'CPU', reason: absence };
  }
  if (!mayFallBack) {
    const type: PermanentFailure = 'NoGpu';
    throw ApplicationFailure.nonRetryable(`A GPU was asked for, and ${absence}.`, type);
  }
  return { device: 'CPU', reason: `a GPU was asked for, but ${absence}` };
}

/** The name of a GPU whose worker answers; null when none does in time. */
async function findGpu(wish: keyof typeof WAITS): Promise<string | null> {
  const { describeGpu } = proxyActivities<PresenceActivities>({
    taskQueue: GPU_PRESENCE_QUEUE,
    scheduleToCloseTimeout: WAITS[wish],
    retry: { maximumAttempts: 1 },
  });
  try {
    return await describeGpu();
  } catch (error) {
    if (error instanceof ActivityFailure && error.cause instanceof TimeoutFailure) {
      return null;
    }
    throw error;
  }
}

/** Whether no worker took a step in time: those who could have may be gone. */
export function isNotTaken(error: unknown): boolean {
  return (
    error instanceof ActivityFailure &&
    error.cause instanceof TimeoutFailure &&
    error.cause.timeoutType === 'SCHEDULE_TO_START'
  );
}
