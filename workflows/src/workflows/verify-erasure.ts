import { proxyActivities } from '@temporalio/workflow';
import type { ErasureCheck, ErasureRef } from '@kindred/domain/user-events';
import type { DataActivities } from '../activities/create-activities.ts';
import { TASK_QUEUES } from '../contract.ts';

const { checkErasure } = proxyActivities<DataActivities>({
  taskQueue: TASK_QUEUES.data,
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '300 milliseconds', maximumInterval: '5 seconds', maximumAttempts: 5 },
});

/** Looks into every store for the user of an erasure. */
export async function verifyErasure(input: ErasureRef): Promise<ErasureCheck[]> {
  return checkErasure(input);
}
