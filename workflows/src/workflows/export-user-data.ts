import { proxyActivities, sleep } from '@temporalio/workflow';
import type { DataActivities } from '../activities/create-activities.ts';
import { type ExportUserDataInput, TASK_QUEUES } from '../contract.ts';

const activities = proxyActivities<DataActivities>({
  taskQueue: TASK_QUEUES.data,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Gathers a copy of a user's data, and deletes it when its time is over. */
export async function exportUserData(input: ExportUserDataInput): Promise<void> {
  const { expiresAtMs } = await activities.exportUserData(input);
  if (expiresAtMs === null) {
    return;
  }
  await sleep(Math.max(1, expiresAtMs - Date.now()));
  await activities.expireExport(input);
}
