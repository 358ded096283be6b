// In a child process: the time of one training step and the memory of a training.
import {
  closeTraining,
  createTraining,
  saveTraining,
  type Training,
  trainNextEpoch,
} from '../../src/lightgcn/training.ts';
import { trainEpoch } from '../../src/lightgcn/light-gcn.ts';
import { estimateMemoryBytes } from '../../src/lightgcn/memory-estimate.ts';
import { readAsChild } from '../data/data-sets.ts';
import { answerParent } from '../in-child.ts';
import { watchPeakMemory } from '../peak-memory.ts';
import { medianOf } from '../statistics.ts';
import type { TrainingTask } from './configurations.ts';
import type { TrainingData } from './training-data.ts';
import { orUnavailable } from './unavailable.ts';

export interface StepResult {
  /** What ran: instruction set and threads, or the card. */
  readonly detail: string;
  /** Milliseconds of one Adam step, forward and backward propagation included, at the settings of the first epoch. */
  readonly bestStepMs: number;
  readonly medianStepMs: number;
  /** Of all threads, in the best round. */
  readonly stepCpuMs: number;
  readonly rounds: number;
  readonly stepsInRound: number;
  /** Of a process that loads the data, trains, evaluates and saves: 10^6 bytes. */
  readonly peakMB: number;
  readonly estimatedMB: number;
}

const MOST_ROUNDS = 7;
const MOST_STEPS = 20;
/** Wall time of a round, and of all of them, beyond which none is begun. */
const ROUND_MS = 1000;
const ROUNDS_MS = 20_000;

await answerParent((task) => orUnavailable(() => measureSteps(task as TrainingTask)));

async function measureSteps({ dataPath, hyperparameters, options }: TrainingTask): Promise<StepResult> {
  const peakBytes = watchPeakMemory();
  const { train, validation } = readAsChild(dataPath) as TrainingData;
  const training = await createTraining(train, validation, hyperparameters, options);
  const { model } = training;
  // Compiles, and tells how many steps make a round.
  const { stepMs } = await timeSteps(takeSteps(training, 1));
  const stepsInRound = Math.max(1, Math.min(MOST_STEPS, Math.floor(ROUND_MS / stepMs)));
  const sample = takeSteps(training, stepsInRound);
  const rounds = [];
  const began = performance.now();
  while (rounds.length < 2 || (rounds.length < MOST_ROUNDS && performance.now() - began < ROUNDS_MS)) {
    rounds.push(await timeSteps(sample));
  }
  const [best] = rounds.toSorted((a, b) => a.stepMs - b.stepMs);
  if (!best) throw new Error(`Wanted rounds, got ${rounds.length}.`);
  await trainNextEpoch(sample);
  saveTraining(sample);
  closeTraining(training);
  const size = { userCount: train.userCount, itemCount: train.itemCount, interactionCount: train.userRows.length };
  return {
    detail: model.backend.detail,
    bestStepMs: best.stepMs,
    medianStepMs: medianOf(rounds.map(({ stepMs: own }) => own)),
    stepCpuMs: best.cpuMs,
    rounds: rounds.length,
    stepsInRound,
    peakMB: peakBytes() / 1e6,
    estimatedMB: estimateMemoryBytes({ ...size, ...model.hyperparameters, ...options }) / 1e6,
  };
}

/** The training with epochs of `count` steps at most. */
function takeSteps(training: Training, count: number): Training {
  const { model } = training;
  const trainableEdges = model.workspace.trainableEdges.slice(0, count * model.hyperparameters.batchSize);
  return { ...training, model: { ...model, workspace: { ...model.workspace, trainableEdges } } };
}

/** Mean milliseconds of a step of one epoch, as the first. */
async function timeSteps({ model }: Training): Promise<{ stepMs: number; cpuMs: number }> {
  const before = model.state.step;
  model.state.epoch = 0;
  const cpu = process.cpuUsage();
  const began = performance.now();
  await trainEpoch(model);
  const wallMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  const steps = model.state.step - before;
  return { stepMs: wallMs / steps, cpuMs: (user + system) / 1000 / steps };
}
