import { readFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { makeFoldable } from '@kindred/core/foldable-vectors';
import {
  bestEmbeddings,
  closeTraining,
  createTraining,
  type EpochReport,
  isTrainingFinished,
  layOutTraining,
  loadTraining,
  trainNextEpoch,
} from '@kindred/core/lightgcn/training';
import { decodeSnapshot } from '@kindred/core/snapshot';
import type { Hyperparameters, TrainingCompute } from '@kindred/domain/training';
import { encodeModel } from './model-artefact.ts';
import { serveThread } from './serve-thread.ts';
import { shareInTurns } from './share-in-turns.ts';
import { splitSnapshot } from './split-snapshot.ts';
import { withoutPaths } from './without-paths.ts';

export interface TrainingThreadInput {
  snapshotPath: string;
  /** The stored training to go on from; null to begin. */
  checkpointPath: string | null;
  hyperparameters: Hyperparameters;
  /** After how many epochs the training ends with the best that there is, however many are set. */
  enoughEpochs: number;
  /** Short epochs come together: as many as fit into this time, of longer ones each. */
  keepEveryMs: number;
  /** Whether the training comes with them, to go on from. */
  isSaved: boolean;
}

/** An epoch, when it was over in epoch milliseconds, and how long it took. */
export interface FinishedEpoch extends EpochReport {
  at: number;
  durationMs: number;
}

/** The training after the last of the epochs that it comes with. */
export interface SavedTraining {
  epoch: number;
  /** Before its sha256, and in shared memory: whole until the question after the next. */
  bytes: Uint8Array<SharedArrayBuffer>;
}

/** First what computes, then epochs, in order and each once, with the training where it is saved, last the model of the best epoch. */
export type NextEpochs =
  | { kind: 'prepared'; compute: TrainingCompute }
  | { kind: 'epochs'; epochs: FinishedEpoch[]; saved: SavedTraining | null }
  | { kind: 'finished'; bestEpoch: number; epochCount: number; artefact: Uint8Array<ArrayBuffer> };

const { snapshotPath, checkpointPath, hyperparameters, enoughEpochs, keepEveryMs, isSaved } =
  workerData as TrainingThreadInput;
const snapshot = decodeSnapshot(readFileSync(snapshotPath));
const { train, validation } = splitSnapshot(snapshot.matrix);
const training =
  checkpointPath === null
    ? await createTraining(train, validation, hyperparameters)
    : await loadTraining(readFileSync(checkpointPath), train, validation);

const memoryFor = shareInTurns();

let preparationIsDue = true;

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
  const epochs = await trainForAWhile();
  if (!isSaved) return { value: { kind: 'epochs', epochs, saved: null } };
  return {
    value: { kind: 'epochs', epochs, saved: { epoch: state.epoch, bytes: layOutTraining(training, memoryFor) } },
  };
});

function isOver(): boolean {
  const { epoch } = training.model.state;
  return isTrainingFinished(training) || (epoch > 0 && epoch >= enoughEpochs);
}

/** At least one epoch; no further one that would not be over in time. */
async function trainForAWhile(): Promise<FinishedEpoch[]> {
  const begunAt = performance.now();
  const epochs: FinishedEpoch[] = [];
  for (;;) {
    const startedAt = performance.now();
    const report = await trainNextEpoch(training);
    const now = performance.now();
    const durationMs = now - startedAt;
    epochs.push({ ...report, at: Date.now(), durationMs });
    if (isOver() || now + durationMs - begunAt > keepEveryMs) return epochs;
  }
}
