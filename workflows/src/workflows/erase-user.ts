import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  sleep,
  startChild,
} from '@temporalio/workflow';
import type { ErasureRef } from '@kindred/domain/user-events';
import type { DataActivities } from '../activities/create-activities.ts';
import { TASK_QUEUES, TRAIN_MODEL, trainingStart, type TrainModelInput, trainModelWorkflowId } from '../contract.ts';
import { newRunId } from './new-run-id.ts';

// An erasure is never given up: what is promised to a person is tried until it is done.
const {
  eraseRows,
  eraseHistories,
  eraseFromVersions,
  forgetInServing,
  eraseLeftovers,
  queueRetraining,
  sealErasure,
  finishRun,
} = proxyActivities<DataActivities>({
  taskQueue: TASK_QUEUES.data,
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '300 milliseconds', maximumInterval: '1 minute' },
});

/** Whoever was recording an interaction of the user when the rows went is done with it by then, its word to Redis too. */
const LATE_WRITERS = '10 seconds';

/** How often the model's fenced training is waited for that has not yet closed. */
const CLOSING_TRIES = 60;

/**
 * Forgets a user: rows first, then everything that answers, which takes a moment; then the files of trainings that were
 * under way, which begin anew, and whatever was written late. The receipt is sealed when a look into every store finds nothing.
 */
export async function eraseUser(input: ErasureRef): Promise<void> {
  const { tenantId } = input;
  const { runs, modelIds } = await eraseRows(input);
  await Promise.all([eraseHistories(input), eraseFromVersions(input)]);
  await forgetInServing(input);

  for (const { modelId, executionId } of runs) {
    await endTraining(trainModelWorkflowId(tenantId, modelId), executionId);
  }
  for (const modelId of modelIds) {
    const training = { tenantId, modelId, runId: newRunId() };
    if (await queueRetraining(training)) {
      await train(training);
    }
  }

  await sleep(LATE_WRITERS);
  while (true) {
    await eraseHistories(input);
    await eraseFromVersions(input);
    await forgetInServing(input);
    await eraseLeftovers(input);
    const { heldIn } = await sealErasure(input);
    if (heldIn.length === 0) {
      return;
    }
    await sleep(LATE_WRITERS);
  }
}

/** The run's row has ended already, so that it can publish nothing: this only saves the work. */
async function endTraining(workflowId: string, executionId: string | null): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId, executionId ?? undefined).cancel();
  } catch (error) {
    // It may have closed by itself meanwhile.
    if (isCancellation(error)) {
      throw error;
    }
  }
}

/** Starts the training once the model's last one has closed. */
async function train(input: TrainModelInput): Promise<void> {
  for (let tries = 1; tries <= CLOSING_TRIES; tries += 1) {
    try {
      await startChild(TRAIN_MODEL, { ...trainingStart(input), parentClosePolicy: ParentClosePolicy.ABANDON });
      return;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) {
        throw error;
      }
      await sleep('1 second');
    }
  }
  await finishRun({ ...input, status: 'FAILED', message: 'The training before it did not close.' });
}
