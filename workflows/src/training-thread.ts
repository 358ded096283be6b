import { readFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { evaluateRanking } from '@kindred/core/evaluate';
import {
  closeTraining,
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

/** First what computes and what the curve is to be seen beside, then one epoch at a time with the training after it. */
export type NextEpoch =
  | { kind: 'prepared'; backend: string; baseline: { name: string; metrics: RankingMetrics } }
  | { kind: 'epoch'; report: EpochReport; durationMs: number; checkpoint: Uint8Array<ArrayBuffer> }
  | { kind: 'finished'; bestEpoch: number; epochCount: number };

const { snapshotPath, checkpointPath, hyperparameters } = workerData as TrainingThreadInput;
const { train, validation } = splitSnapshot(decodeSnapshot(readFileSync(snapshotPath)).matrix);
const training =
  checkpointPath === null
    ? await createTraining(train, validation, hyperparameters)
    : await loadTraining(readFileSync(checkpointPath), train, validation);

// A training that goes on has told this already.
let preparationIsDue = checkpointPath === null;

serveThread<NextEpoch>(async () => {
  if (preparationIsDue) {
    preparationIsDue = false;
    const metrics = evaluateRanking({ scores: popularityScores(train) }, train, validation);
    return { value: { kind: 'prepared', backend: describeBackend(), baseline: { name: 'POPULARITY', metrics } } };
  }
  if (isTrainingFinished(training)) {
    closeTraining(training);
    const epochCount = training.model.state.epoch;
    return { value: { kind: 'finished', bestEpoch: training.best?.epoch ?? epochCount, epochCount } };
  }
  const startedAt = performance.now();
  const report = await trainNextEpoch(training);
  const durationMs = performance.now() - startedAt;
  const checkpoint = saveTraining(training);
  return { value: { kind: 'epoch', report, durationMs, checkpoint }, transfer: [checkpoint.buffer] };
});

/** Which back-end computes, and why it is this one. */
function describeBackend(): string {
  const { backend, backendReason } = training.model;
  return `Computing with the ${backend.kind} back-end (${backend.detail}): ${backendReason}`;
}
