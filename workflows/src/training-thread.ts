import { readFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import {
  createTraining,
  type EpochReport,
  isTrainingFinished,
  loadTraining,
  saveTraining,
  trainNextEpoch,
} from '@kindred/core/lightgcn/training';
import { decodeSnapshot } from '@kindred/core/snapshot';
import type { Hyperparameters } from '@kindred/domain/training';
import { serveThread } from './serve-thread.ts';
import { splitSnapshot } from './split-snapshot.ts';

export interface TrainingThreadInput {
  snapshotPath: string;
  /** The stored training to go on from; null to begin. */
  checkpointPath: string | null;
  hyperparameters: Hyperparameters;
}

/** One more epoch with the training as it stands after it, or that there is none more. */
export type NextEpoch =
  | { kind: 'epoch'; report: EpochReport; durationMs: number; checkpoint: Uint8Array<ArrayBuffer> }
  | { kind: 'finished'; bestEpoch: number; epochCount: number };

const { snapshotPath, checkpointPath, hyperparameters } = workerData as TrainingThreadInput;
const { train, validation } = splitSnapshot(decodeSnapshot(readFileSync(snapshotPath)).matrix);
const training =
  checkpointPath === null
    ? createTraining(train, validation, hyperparameters)
    : loadTraining(readFileSync(checkpointPath), train, validation);

serveThread<NextEpoch>(() => {
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
