import { readFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { evaluateRanking } from '@kindred/core/evaluate';
import {
  createTraining,
  type EpochReport,
  isTrainingFinished,
  loadTraining,
  saveTraining,
  trainNextEpoch,
} from '@kindred/core/lightgcn/training';
import { popularityScores } from '@kindred/core/popularity';
import { decodeSnapshot } from '@kindred/core/snapshot';
import type { Hyperparameters, RankingMetrics } from '@kindred/domain/training';
import { serveThread } from './serve-thread.ts';
import { splitSnapshot } from './split-snapshot.ts';

export interface TrainingThreadInput {
  snapshotPath: string;
  /** The stored training to go on from; null to begin. */
  checkpointPath: string | null;
  hyperparameters: Hyperparameters;
}

/** First what the curve is to be seen beside, then one epoch at a time with the training as it stands after it. */
export type NextEpoch =
  | { kind: 'baseline'; name: string; metrics: RankingMetrics }
  | { kind: 'epoch'; report: EpochReport; durationMs: number; checkpoint: Uint8Array<ArrayBuffer> }
  | { kind: 'finished'; bestEpoch: number; epochCount: number };

const { snapshotPath, checkpointPath, hyperparameters } = workerData as TrainingThreadInput;
const { train, validation } = splitSnapshot(decodeSnapshot(readFileSync(snapshotPath)).matrix);
const training =
  checkpointPath === null
    ? createTraining(train, validation, hyperparameters)
    : loadTraining(readFileSync(checkpointPath), train, validation);

// A training that goes on has told its baseline already.
let baselineIsDue = checkpointPath === null;

serveThread<NextEpoch>(() => {
  if (baselineIsDue) {
    baselineIsDue = false;
    const metrics = evaluateRanking({ scores: popularityScores(train) }, train, validation);
    return { value: { kind: 'baseline', name: 'POPULARITY', metrics } };
  }
  if (isTrainingFinished(training)) {
    const epochCount = training.model.state.epoch;
    return { value: { kind: 'finished', bestEpoch: training.best?.epoch ?? epochCount, epochCount } };
  }
  const startedAt = performance.now();
  const report = trainNextEpoch(training);
  const durationMs = performance.now() - startedAt;
  const checkpoint = saveTraining(training);
  return { value: { kind: 'epoch', report, durationMs, checkpoint }, transfer: [checkpoint.buffer] };
});
