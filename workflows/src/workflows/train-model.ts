import { CancellationScope, isCancellation, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { TrainingPhase } from '@kindred/domain/training';
import type { ComputeActivities, DataActivities } from '../activities/create-activities.ts';
import type { TrainModelInput, TrainModelOutcome } from '../contract.ts';
import { taskQueuesBeside } from '../contract.ts';
import { describeFailure } from './describe-failure.ts';

/** Train a model on everything its tenant has recorded, measure it beside the baseline, and let it answer. */
export async function trainModel(input: TrainModelInput): Promise<TrainModelOutcome> {
  const { data, compute } = activitiesBeside(workflowInfo().taskQueue);
  let phase: TrainingPhase = 'PREFLIGHT';
  try {
    await data.checkData(input);

    phase = 'SNAPSHOT';
    const snapshot = await data.exportSnapshot(input);

    phase = 'TRAIN';
    const training = await compute.trainEmbeddings({ ...input, snapshot });

    phase = 'EVALUATE';
    const evaluation = await compute.evaluateModel({ ...input, snapshot, training });

    phase = 'BUILD_INDEX';
    const version = await compute.buildIndex({ ...input, snapshot, training });

    phase = 'PROMOTE';
    return await CancellationScope.nonCancellable(async () => {
      await data.promoteVersion({ ...input, version, evaluation });
      await data.finishRun({ ...input, status: 'SUCCEEDED', message: `Version ${version.number} answers now.` });
      return { versionId: version.versionId };
    });
  } catch (error) {
    const end = isCancellation(error)
      ? { status: 'CANCELLED' as const, message: 'The training was cancelled.' }
      : { status: 'FAILED' as const, message: describeFailure(phase, error) };
    await CancellationScope.nonCancellable(() => data.finishRun({ ...input, ...end }));
    throw error;
  }
}

/** A step is repeated until its worker is back; a step that fails by itself is given up after a few attempts. */
function activitiesBeside(workflowsQueue: string) {
  const queues = taskQueuesBeside(workflowsQueue);
  const heartbeatTimeout = '10 seconds';
  const data = proxyActivities<DataActivities>({
    taskQueue: queues.data,
    startToCloseTimeout: '1 hour',
    heartbeatTimeout,
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 8 },
  });
  const { finishRun } = proxyActivities<DataActivities>({
    taskQueue: queues.data,
    startToCloseTimeout: '1 minute',
    retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  });
  const compute = proxyActivities<ComputeActivities>({
    taskQueue: queues['train-cpu'],
    startToCloseTimeout: '24 hours',
    heartbeatTimeout,
    retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 8 },
  });
  return { data: { ...namedSteps(data), finishRun }, compute };
}

/** A proxy has no own keys to spread: these are the steps that the process uses. */
function namedSteps({ checkData, exportSnapshot, promoteVersion }: DataActivities) {
  return { checkData, exportSnapshot, promoteVersion };
}
