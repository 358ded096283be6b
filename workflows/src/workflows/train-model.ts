import { ActivityCancellationType, CancellationScope, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { TrainingPhase } from '@kindred/domain/training';
import type { ComputeActivities, DataActivities } from '../activities/create-activities.ts';
import { TASK_QUEUES, type TrainModelInput, type TrainModelOutcome } from '../contract.ts';
import { describeFailure } from './describe-failure.ts';

const retry = { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 8 } as const;

// Within ten seconds of a worker's death its step goes to another; a cancelled step has stopped before the run ends.
const longStep = {
  heartbeatTimeout: '10 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry,
} as const;

const { checkData, promoteVersion } = proxyActivities<DataActivities>({
  taskQueue: TASK_QUEUES.data,
  startToCloseTimeout: '1 minute',
  retry,
});

const { exportSnapshot } = proxyActivities<DataActivities>({
  taskQueue: TASK_QUEUES.data,
  startToCloseTimeout: '1 hour',
  ...longStep,
});

const { fitInstantModel, trainEmbeddings, evaluateModel, buildIndex } = proxyActivities<ComputeActivities>({
  taskQueue: TASK_QUEUES['train-cpu'],
  startToCloseTimeout: '24 hours',
  ...longStep,
});

// A run must not stay open for ever: its end is tried until it is written.
const { finishRun } = proxyActivities<DataActivities>({
  taskQueue: TASK_QUEUES.data,
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/**
 * Trains a model on everything its tenant has recorded, measures it beside what it must beat, and lets it answer. A tenant
 * whom nothing answers yet has the model that needs no training until then.
 */
export async function trainModel(input: TrainModelInput): Promise<TrainModelOutcome> {
  let phase: TrainingPhase = 'PREFLIGHT';
  try {
    await checkData(input);

    phase = 'SNAPSHOT';
    const snapshot = await exportSnapshot(input);

    phase = 'INSTANT_MODEL';
    const { model: instant, metrics, popularity, nothingAnswers } = await fitInstantModel({ ...input, snapshot });
    if (nothingAnswers) {
      const version = await buildIndex({ ...input, model: instant });
      await promoteVersion({ ...input, version, evaluation: { metrics, baselines: [popularity] } });
    }

    phase = 'TRAIN';
    const model = await trainEmbeddings({ ...input, snapshot });

    phase = 'EVALUATE';
    const baselines = [popularity, { name: 'SPECTRAL' as const, metrics }];
    const evaluation = await evaluateModel({ ...input, snapshot, model, baselines });

    phase = 'BUILD_INDEX';
    const version = await buildIndex({ ...input, model });

    phase = 'PROMOTE';
    return await CancellationScope.nonCancellable(async () => {
      await promoteVersion({ ...input, version, evaluation });
      await finishRun({ ...input, status: 'SUCCEEDED', message: `Version ${version.number} answers now.` });
      return { versionId: version.versionId };
    });
  } catch (error) {
    const ending = isCancellation(error)
      ? { status: 'CANCELLED' as const, message: 'The training was cancelled.' }
      : { status: 'FAILED' as const, message: describeFailure(phase, error) };
    await CancellationScope.nonCancellable(() => finishRun({ ...input, ...ending }));
    throw error;
  }
}
