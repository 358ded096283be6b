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
  /** After how many epochs the training ends with the best that there is, however many are set. */
  enoughEpochs: number;
  /** Short epochs are told together: as many as fit into this time, of longer ones each. */
  tellEveryMs: number;
  /** Of epochs that are shorter not each is saved, but the training as often as this; null when it is not saved at all. */
  saveEveryMs: number | null;
}

/** An epoch, when it was over in epoch milliseconds, and how long it took. */
export interface FinishedEpoch extends EpochReport {
  at: number;
  durationMs: number;
}

/** The training after the last of the epochs that it comes with. */
export interface SavedTraining {
  epoch: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** First what computes, then epochs, in order and each once, with the training where it is saved, last the model of the best epoch. */
export type NextEpochs =
  | { kind: 'prepared'; compute: TrainingCompute }
  | { kind: 'epochs'; epochs: FinishedEpoch[]; saved: SavedTraining | null }
  | { kind: 'finished'; bestEpoch: number; epochCount: number; artefact: Uint8Array<ArrayBuffer> };

const { snapshotPath, checkpointPath, hyperparameters, enoughEpochs, tellEveryMs, saveEveryMs } =
  workerData as TrainingThreadInput;
const snapshot = decodeSnapshot(readFileSync(snapshotPath));
const { train, validation } = splitSnapshot(snapshot.matrix);
const training =
  checkpointPath === null
    ? await createTraining(train, validation, hyperparameters)
    : await loadTraining(readFileSync(checkpointPath), train, validation);

let preparationIsDue = true;
let savedAt = performance.now();

serveThread<NextEpochs>(async () => {
  const { backend, backendReason, state } = training.model;
  if (preparationIsDue) {
    preparationIsDue = false;
    const reason = withoutPaths(backendReason);
    return { value: { kind: 'prepared', compute: { backend: backend.kind, detail: backend.detail, reason } } };
  }
  if (isOver()) {
    const vectors = await bestEmbeddings(training);
    closeTraining(training);
    const artefact = encodeModel(snapshot, train, await makeFoldable(train, vectors));
    const epochCount = state.epoch;
    const bestEpoch = training.best?.epoch ?? epochCount;
    return { value: { kind: 'finished', bestEpoch, epochCount, artefact }, transfer: [artefact.buffer] };
  }
  const { epochs, saveIsDue } = await trainForAWhile();
  if (!saveIsDue) return { value: { kind: 'epochs', epochs, saved: null } };
  savedAt = performance.now();
  const saved = { epoch: state.epoch, bytes: saveTraining(training) };
  return { value: { kind: 'epochs', epochs, saved }, transfer: [saved.bytes.buffer] };
});

function isOver(): boolean {
  const { epoch } = training.model.state;
  return isTrainingFinished(training) || (epoch > 0 && epoch >= enoughEpochs);
}

/** At least one epoch; no further one that would not be over when it is time to tell or to save. */
async function trainForAWhile(): Promise<{ epochs: FinishedEpoch[]; saveIsDue: boolean }> {
  const begunAt = performance.now();
  const epochs: FinishedEpoch[] = [];
  for (;;) {
    const startedAt = performance.now();
    const report = await trainNextEpoch(training);
    const now = performance.now();
    const durationMs = now - startedAt;
    epochs.push({ ...report, at: Date.now(), durationMs });
    const saveIsDue = saveEveryMs !== null && (isOver() || now + durationMs - savedAt > saveEveryMs);
    if (saveIsDue || isOver() || now + durationMs - begunAt > tellEveryMs) return { epochs, saveIsDue };
  }
}
