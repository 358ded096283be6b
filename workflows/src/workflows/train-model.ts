import {
  ActivityCancellationType,
  CancelledFailure,
  CancellationScope,
  defineQuery,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import type { TrainingPhase } from '@kindred/domain/training';
import type { VersionRef } from '../activities/build-index.ts';
import type { ComputeActivities, DataActivities } from '../activities/create-activities.ts';
import type { Evaluation } from '../activities/evaluate-model.ts';
import type { RunEnding } from '../activities/finish-run.ts';
import {
  DEPLOYMENT_NAME,
  TASK_QUEUES,
  TRAINING_STATE,
  type TrainingState,
  type TrainModelInput,
  type TrainModelOutcome,
} from '../contract.ts';
import type { ModelRef } from '../store-model.ts';
import { awaitAdmission } from './await-admission.ts';
import { describeFailure } from './describe-failure.ts';
import { showInSearch } from './show-in-search.ts';
import { runCanary } from './run-canary.ts';
import { openSteering } from './steering.ts';
import { openDeviceTraining } from './train-on-device.ts';

const retry = { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 8 } as const;

// Within ten seconds of a worker's death its step goes to another; a cancelled step has stopped before the run ends.
const longStep = {
  heartbeatTimeout: '10 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry,
} as const;

const { checkData, judgeVersion, noteSteering, promoteVersion, startCanary } = proxyActivities<DataActivities>({
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
 * whom nothing answers yet has the model that needs no training until then. People steer it: see `openSteering`.
 */
export async function trainModel(input: TrainModelInput): Promise<TrainModelOutcome> {
  let phase: TrainingPhase = 'PREFLIGHT';
  let changeCount = 0;
  const show = showInSearch(input);
  const steering = openSteering(async (change) => {
    show(change === 'RESUMED' ? 'RUNNING' : change);
    changeCount += 1;
    await noteSteering({ ...input, change, count: changeCount });
  });
  setHandler(defineQuery<TrainingState>(TRAINING_STATE), () => ({ phase, ...steering.state() }));
  const enter = async (next: TrainingPhase) => {
    await steering.waitWhilePaused();
    if (CancellationScope.current().consideredCancelled) {
      // The step before may have ended well although it was told to stop.
      throw new CancelledFailure('The training was cancelled.');
    }
    phase = next;
  };

  show('RUNNING');
  try {
    // Runs that were begun before there were places and devices go on without.
    const request = patched('places-and-devices') ? await awaitAdmission(input) : null;
    await checkData(input);
    const device = request && openDeviceTraining(input, { request, onCpu: trainEmbeddings });

    await enter('SNAPSHOT');
    const snapshot = await exportSnapshot(input);

    await enter('INSTANT_MODEL');
    const { model: instant, metrics, popularity, nothingAnswers } = await fitInstantModel({ ...input, snapshot });
    if (nothingAnswers) {
      await answerAtOnce(input, { model: instant, evaluation: { metrics, baselines: [popularity] } });
    }

    await enter('TRAIN');
    const train = device?.train ?? trainEmbeddings;
    const model = await steering.runLongStep((isStopping) => train({ ...input, snapshot, isStopping }));

    await enter('EVALUATE');
    const baselines = [popularity, { name: 'SPECTRAL' as const, metrics }];
    const evaluation = await evaluateModel({ ...input, snapshot, model, baselines, instant });

    await enter('BUILD_INDEX');
    const version = await buildIndex({ ...input, model });

    await enter('PROMOTE');
    const verdict = await CancellationScope.nonCancellable(() =>
      promoteIfGoodEnough({ ...input, version, evaluation }),
    );
    if (verdict.canary !== null) {
      phase = 'CANARY';
    }
    const message = verdict.canary === null ? verdict.message : await runCanary({ ...input, version }, verdict.canary);
    return await CancellationScope.nonCancellable(async () => {
      await finishRun({ ...input, status: 'SUCCEEDED', message });
      show('SUCCEEDED');
      return { versionId: version.versionId };
    });
  } catch (error) {
    const ending = endingOf(phase, error);
    await CancellationScope.nonCancellable(() => finishRun({ ...input, ...ending }));
    show(ending.status);
    throw error;
  }
}

/** Lets a model answer that nothing is decided about, unless something else has come to answer. */
async function answerAtOnce(
  input: TrainModelInput,
  { model, evaluation }: { model: ModelRef; evaluation: Evaluation },
): Promise<void> {
  const version = await buildIndex({ ...input, model });
  await promoteVersion({ ...input, version, evaluation, expectedActiveId: null });
}

function endingOf(phase: TrainingPhase, error: unknown): RunEnding {
  return isCancellation(error)
    ? { status: 'CANCELLED', message: 'The training was cancelled.' }
    : { status: 'FAILED', message: describeFailure(phase, error) };
}

// A training ends on the build that it began on. The server refuses the word of a worker whose builds have no versions.
setWorkflowOptions(
  () =>
    workflowInfo().currentDeploymentVersion?.deploymentName === DEPLOYMENT_NAME ? { versioningBehavior: 'PINNED' } : {},
  trainModel,
);

/** What the quality gate led to: a trial with some of the users, or a message that says whether the version answers. */
type Decision = { canary: { checkEveryMs: number } } | { canary: null; message: string };

/** The version answers unless the quality gate keeps it back; or some users' clicks decide, where the model's people want that. */
async function promoteIfGoodEnough(
  input: TrainModelInput & { version: VersionRef; evaluation: Evaluation },
): Promise<Decision> {
  const { version, evaluation } = input;
  const name = `Version ${version.number}`;
  const say = (message: string): Decision => ({ canary: null, message: `${name} ${message}` });
  if (!patched('quality-gate')) {
    // Runs that were begun before there was a gate go on without it.
    await promoteVersion(input);
    return say('answers now.');
  }
  const verdict = await judgeVersion(input);
  if (!verdict.passed) {
    return say(`is kept back. ${verdict.reason}`);
  }
  const expectedActiveId = evaluation.activeVersionId ?? null;
  // Runs that were begun before there were canaries go on without one.
  if (patched('canary')) {
    const start = await startCanary({ ...input, expectedActiveId });
    if (start.kind === 'STARTED') {
      return { canary: start };
    }
    if (start.kind === 'REFUSED') {
      return say(`is kept back: ${start.reason}`);
    }
  }
  const { answers } = await promoteVersion({ ...input, expectedActiveId });
  return say(
    answers
      ? 'answers now.'
      : 'is kept back: another version than the one it was judged against has come to answer meanwhile.',
  );
}
