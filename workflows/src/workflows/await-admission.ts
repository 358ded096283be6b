import { patched, proxyActivities } from '@temporalio/workflow';
import type { DeviceRequest } from '@kindred/domain/training-device';
import type { DataActivities } from '../activities/create-activities.ts';
import { type BatchRecommendInput, TASK_QUEUES, type TrainModelInput, type TuneTrialInput } from '../contract.ts';
import { askUntil } from './ask-until.ts';

const { admitRun, admitTrial, admitBatch } = proxyActivities<DataActivities>({
  taskQueue: TASK_QUEUES.data,
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Tunings and batches that were under way when they got places go on without one. */
const JOBS_HAVE_PLACES = 'jobs-have-places';

/** Waits, with the run QUEUED, until its tenant has a place for it; says what the run was asked to compute with. */
export async function awaitAdmission(input: TrainModelInput): Promise<DeviceRequest> {
  return askUntil(async () => {
    const answer = await admitRun(input);
    return answer.admitted ? answer.device : null;
  });
}

/** Waits, with the trial WAITING, until its tenant has a place for it. */
export async function awaitTrialPlace(input: TuneTrialInput): Promise<void> {
  if (patched(JOBS_HAVE_PLACES)) await askUntil(async () => (await admitTrial(input)) || null);
}

/** Waits, with the batch QUEUED, until its tenant has a place for it. */
export async function awaitBatchPlace(input: BatchRecommendInput): Promise<void> {
  if (patched(JOBS_HAVE_PLACES)) await askUntil(async () => (await admitBatch(input)) || null);
}
