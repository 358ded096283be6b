// In a child process: a whole training to its stop, and the quality of its best epoch where asked.
import { evaluateRankingAt } from '../../src/evaluate.ts';
import {
  bestEmbeddings,
  closeTraining,
  createTraining,
  isTrainingFinished,
  saveTraining,
  trainNextEpoch,
} from '../../src/lightgcn/training.ts';
import { readAsChild } from '../data/data-sets.ts';
import { answerParent } from '../in-child.ts';
import { watchPeakMemory } from '../peak-memory.ts';
import type { TrainingTask } from './configurations.ts';
import { type HeldOutPart, heldOutPart, type TrainingData } from './training-data.ts';

export interface WholeTrainingTask extends TrainingTask {
  readonly quality: HeldOutPart | null;
}

export interface TrainingResult {
  /** From the matrices to the best vectors, validation after each epoch included. */
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly epochs: number;
  readonly bestEpoch: number;
  readonly steps: number;
  readonly loss: number;
  readonly peakMB: number;
  readonly recallAt20: number | null;
  readonly ndcgAt20: number | null;
}

await answerParent((task) => measureTraining(task as WholeTrainingTask));

async function measureTraining(task: WholeTrainingTask): Promise<TrainingResult> {
  const peakBytes = watchPeakMemory();
  const data = readAsChild(task.dataPath) as TrainingData;
  const { train, validation } = data;
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  const training = await createTraining(train, validation, task.hyperparameters, task.options);
  let loss = Number.NaN;
  while (!isTrainingFinished(training)) ({ loss } = await trainNextEpoch(training));
  const { users, items, dimension } = await bestEmbeddings(training);
  const wallSeconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  saveTraining(training);
  closeTraining(training);
  const peakMB = peakBytes() / 1e6;
  const ranker = { userVectors: users, itemVectors: items, dimension };
  const masked = task.quality === 'test' ? validation : undefined;
  const quality = task.quality
    ? evaluateRankingAt(ranker, train, heldOutPart(data, task.quality), { cutoff: 20, masked })
    : null;
  return {
    wallSeconds,
    cpuSeconds: (user + system) / 1e6,
    epochs: training.model.state.epoch,
    bestEpoch: training.best?.epoch ?? 0,
    steps: training.model.state.step,
    loss,
    peakMB,
    recallAt20: quality?.recall ?? null,
    ndcgAt20: quality?.ndcg ?? null,
  };
}
