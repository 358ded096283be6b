import { ChildWorkflowFailure, executeChild, ParentClosePolicy, proxyActivities, sleep } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { DataActivities } from '../activities/create-activities.ts';
import {
  type RetrainInput,
  type RetrainOutcome,
  TASK_QUEUES,
  TRAIN_MODEL,
  type TrainModelInput,
  trainingStart,
} from '../contract.ts';
import { newRunId } from './new-run-id.ts';

const { queueScheduledRun, finishRun } = proxyActivities<DataActivities>({
  taskQueue: TASK_QUEUES.data,
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** How often the model's workflow is waited for that has ended its run and not yet closed. */
const CLOSING_TRIES = 20;

/**
 * What a model's schedule starts: a training, if enough has come in since the last one and nobody trains the model already. It
 * lasts as long as the training, so that a schedule which fires meanwhile is skipped.
 */
export async function retrainOnSchedule(input: RetrainInput): Promise<RetrainOutcome> {
  const scheduled = await queueScheduledRun({ ...input, runId: newRunId() });
  if (scheduled.runId === null) {
    return scheduled;
  }
  const { runId } = scheduled;
  for (let tries = 1; tries <= CLOSING_TRIES; tries += 1) {
    try {
      await train({ ...input, runId });
      return { runId };
    } catch (error) {
      // The run's own record says why a training failed.
      if (error instanceof ChildWorkflowFailure) {
        return { runId };
      }
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) {
        throw error;
      }
      await sleep('5 seconds');
    }
  }
  await finishRun({ ...input, runId, status: 'FAILED', message: 'The training before it did not close.' });
  return { runId };
}

function train(input: TrainModelInput): Promise<unknown> {
  return executeChild(TRAIN_MODEL, { ...trainingStart(input), parentClosePolicy: ParentClosePolicy.ABANDON });
}
