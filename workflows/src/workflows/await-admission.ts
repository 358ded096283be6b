import { proxyActivities, sleep } from '@temporalio/workflow';
import type { DeviceRequest } from '@kindred/domain/training-device';
import type { DataActivities } from '../activities/create-activities.ts';
import { TASK_QUEUES, type TrainModelInput } from '../contract.ts';

const { admitRun } = proxyActivities<DataActivities>({
  taskQueue: TASK_QUEUES.data,
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Asked often at first; a history of one look every 30 s has room for a day and a half. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const GROWTH = 1.2;

/** Waits, with the run QUEUED, until its tenant has a place for it; says what the run was asked to compute with. */
export async function awaitAdmission(input: TrainModelInput): Promise<DeviceRequest> {
  let pauseMs = FIRST_PAUSE_MS;
  while (true) {
    const answer = await admitRun(input);
    if (answer.admitted) {
      return answer.device;
    }
    await sleep(pauseMs);
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * GROWTH);
  }
}
