import {
  CancellationScope,
  ChildWorkflowCancellationType,
  executeChild,
  isCancellation,
  proxyActivities,
} from '@temporalio/workflow';
import type { ComputeActivities, DataActivities } from '../activities/create-activities.ts';
import { jobWorkflowId, TASK_QUEUES, TUNE_TRIAL, type TuneModelInput, type TuneTrialInput } from '../contract.ts';
import { awaitTrialPlace } from './await-admission.ts';
import { describeJobFailure } from './describe-job-failure.ts';
import { ENDING_STEP, LONG_STEP } from './step-options.ts';

const { openTuning } = proxyActivities<DataActivities>({ taskQueue: TASK_QUEUES.data, ...LONG_STEP });
const { runTrial } = proxyActivities<ComputeActivities>({ taskQueue: TASK_QUEUES['train-cpu'], ...LONG_STEP });
const { failTrial, finishTuning } = proxyActivities<DataActivities>({ taskQueue: TASK_QUEUES.data, ...ENDING_STEP });

/** Looks for better settings of a model: tries some, a few at a time, gives up early on bad ones, and keeps the best. */
export async function tuneModel(input: TuneModelInput): Promise<void> {
  try {
    const { trialCount, parallelCount } = await openTuning(input);
    let nextTrial = 0;
    const tryInTurn = async () => {
      while (nextTrial < trialCount) {
        const trial = nextTrial;
        nextTrial += 1;
        await executeChild(TUNE_TRIAL, {
          workflowId: `${jobWorkflowId(input)}/trial/${trial}`,
          args: [{ ...input, trial } satisfies TuneTrialInput],
          cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(parallelCount, trialCount) }, tryInTurn));
    await CancellationScope.nonCancellable(() => finishTuning({ ...input, status: 'SUCCEEDED', message: 'Tuned.' }));
  } catch (error) {
    const ending = isCancellation(error)
      ? { status: 'CANCELLED' as const, message: 'The tuning was cancelled.' }
      : { status: 'FAILED' as const, message: describeJobFailure(error) };
    await CancellationScope.nonCancellable(() => finishTuning({ ...input, ...ending }));
    throw error;
  }
}

/** One trial of a tuning. One that cannot be tried ends as failed, and costs the tuning nothing else. */
export async function tuneTrial(input: TuneTrialInput): Promise<void> {
  try {
    await awaitTrialPlace(input);
    await runTrial(input);
  } catch (error) {
    if (isCancellation(error)) throw error;
    await failTrial({ ...input, message: describeJobFailure(error) });
  }
}
