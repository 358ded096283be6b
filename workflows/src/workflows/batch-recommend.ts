import { CancellationScope, isCancellation, proxyActivities, sleep } from '@temporalio/workflow';
import type { DataActivities } from '../activities/create-activities.ts';
import { type BatchRecommendInput, TASK_QUEUES } from '../contract.ts';
import { awaitBatchPlace } from './await-admission.ts';
import { describeJobFailure } from './describe-job-failure.ts';
import { ENDING_STEP, LONG_STEP } from './step-options.ts';

const { recommendBatch } = proxyActivities<DataActivities>({ taskQueue: TASK_QUEUES.data, ...LONG_STEP });
const { finishBatch, expireBatch } = proxyActivities<DataActivities>({ taskQueue: TASK_QUEUES.data, ...ENDING_STEP });

/** Writes recommendations for many users into one file, and deletes it when its time is over. */
export async function batchRecommend(input: BatchRecommendInput): Promise<void> {
  const expiresAtMs = await writeFile(input);
  if (expiresAtMs === null) return;
  await sleep(Math.max(1, expiresAtMs - Date.now()));
  await expireBatch(input);
}

/** Until when the file stays; null when there is none. */
async function writeFile(input: BatchRecommendInput): Promise<number | null> {
  try {
    await awaitBatchPlace(input);
    await recommendBatch(input);
    const ending = { status: 'SUCCEEDED' as const, message: 'The recommendations are written.' };
    // What is written is written: a cancellation that comes now is too late.
    return await CancellationScope.nonCancellable(() => finishBatch({ ...input, ...ending }));
  } catch (error) {
    const ending = isCancellation(error)
      ? { status: 'CANCELLED' as const, message: 'The batch was cancelled.' }
      : { status: 'FAILED' as const, message: describeJobFailure(error) };
    await CancellationScope.nonCancellable(() => finishBatch({ ...input, ...ending }));
    throw error;
  }
}
