import { readFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { makeFoldable } from '@kindred/core/foldable-vectors';
import {
  bestEmbeddings,
  closeTraining,
  createTraining,
  type EpochReport,
  isTrainingFinished,
  loadTraining,
  saveTraining,
  trainNextEpoch,
} from '@kindred/core/lightgcn/training';
import { decodeSnapshot } from '@kindred/core/snapshot';
import type { Hyperparameters, TrainingCompute } from '@kindred/domain/training';
import { encodeModel } from './model-artefact.ts';
import { serveThread } from './serve-thread.ts';
import { splitSnapshot } from './split-snapshot.ts';
import { withoutPaths } from './without-paths.ts';

export interface TrainingThreadInput {
  snapshotPath: string;
  /** The stored training to go on from; null to begin. */
  checkpointPath: string | null;
  hyperparameters: Hyperparameters;
  /** Whether one epoch is enough: the training ends with the best that there is. */
  isStopping: boolean;
}

/** First what computes, then one epoch at a time with the training after it, last the model of the best epoch. */
export type NextEpoch =
  | { kind: 'prepared'; compute: TrainingCompute }
  | { kind: 'epoch'; report: EpochReport; durationMs: number; checkpoint: Uint8Array<ArrayBuffer> }
  | { kind: 'finished'; bestEpoch: number; epochCount: number; artefact: Uint8Array<ArrayBuffer> };

const { snapshotPath, checkpointPath, hyperparameters, isStopping } = workerData as TrainingThreadInput;
const snapshot = decodeSnapshot(readFileSync(snapshotPath));
const { train, validation } = splitSnapshot(snapshot.matrix);
const training =
  checkpointPath === null
    ? await createTraining(train, validation, hyperparameters)
    : await loadTraining(readFileSync(checkpointPath), train, validation);

let preparationIsDue = true;

serveThread<NextEpoch>(async () => {
  const { backend, backendReason, state } = training.model;
  if (preparationIsDue) {
    preparationIsDue = false;
    const reason = withoutPaths(backendReason);
    return { value: { kind: 'prepared', compute: { backend: backend.kind, detail: backend.detail, reason } } };
  }
  if (isTrainingFinished(training) || (isStopping && state.epoch > 0)) {
    const vectors = await bestEmbeddings(training);
    closeTraining(training);
    const artefact = encodeModel(snapshot, train, await makeFoldable(train, vectors));
    const epochCount = state.epoch;
    const bestEpoch = training.best?.epoch ?? epochCount;
    return { value: { kind: 'finished', bestEpoch, epochCount, artefact }, transfer: [artefact.buffer] };
  }
  const startedAt = performance.now();
  const report = await trainNextEpoch(training);
  const durationMs = performance.now() - startedAt;
  const checkpoint = saveTraining(training);
  return { value: { kind: 'epoch', report, durationMs, checkpoint }, transfer: [checkpoint.buffer] };
});
