import { createHash } from 'node:crypto';
import { decodeColumns, FileFormatError, type FileMemory, layOutColumns, sealColumns } from '../columnar-file.ts';
import { type InteractionMatrix, listItemsByUser } from '../interaction-matrix.ts';
import type { BackendOptions } from './backend.ts';
import { checkHyperparameters, type Hyperparameters } from './hyperparameters.ts';
import { attachLightGcn, checkTrainingData, type LightGcn } from './light-gcn.ts';

/** The bytes are not an undamaged checkpoint, or (MALFORMED) it belongs to other training data; see `reason`. */
export class CheckpointError extends FileFormatError {}

/** The best ego vectors so far, kept for early stopping. */
export interface BestEpoch {
  readonly epoch: number;
  readonly ndcgAt10: number;
  readonly recallAt10: number;
  readonly ego: Float32Array;
}

const FORMAT = { magic: 'KNDCKPT1', error: CheckpointError };

/** The model's whole state between two epochs (and the best epoch, where given) as one file with a sha256. */
export function saveLightGcn(model: LightGcn, best: BestEpoch | null = null): Uint8Array<ArrayBuffer> {
  const bytes = layOutLightGcn(model, best, (byteCount) => new Uint8Array(byteCount));
  sealColumns(bytes);
  return bytes;
}

/** The file of `saveLightGcn` before its sha256, in memory of the caller's; `sealColumns` makes it whole. */
export function layOutLightGcn<Memory extends ArrayBufferLike>(
  model: LightGcn,
  best: BestEpoch | null,
  memoryFor: FileMemory<Memory>,
): Uint8Array<Memory> {
  const { state, hyperparameters, graph } = model;
  const { ego, firstMoment, secondMoment, random } = state;
  const meta = {
    hyperparameters,
    trainingData: hashPairs(graph.offsets.subarray(0, graph.userCount + 1), graph.neighbors, graph),
    step: state.step,
    epoch: state.epoch,
    best: best && { epoch: best.epoch, ndcgAt10: best.ndcgAt10, recallAt10: best.recallAt10 },
  };
  const columns = { ego, firstMoment, secondMoment, random, ...(best ? { bestEgo: best.ego } : {}) };
  return layOutColumns(FORMAT, { meta, columns }, memoryFor);
}

/** A model and the best epoch that were saved together. */
export interface LoadedCheckpoint {
  readonly model: LightGcn;
  readonly best: BestEpoch | null;
}

/**
 * The saved model on `train`, which must hold the pairs it was trained on; it continues bit for bit.
 * @throws CheckpointError when the bytes are damaged or of other training data; InteractionDataError.
 */
export async function loadCheckpoint(
  bytes: Uint8Array,
  train: InteractionMatrix,
  options: BackendOptions = {},
): Promise<LoadedCheckpoint> {
  const file = decodeColumns(FORMAT, bytes);
  const hyperparameters = checkHyperparameters(file.meta.hyperparameters as Hyperparameters);
  checkTrainingData(train);
  const lists = listItemsByUser(train);
  const nodes = lists.items.map((item) => item + train.userCount);
  const trainingData = hashPairs(lists.offsets, nodes, { edgeCount: nodes.length, itemCount: train.itemCount });
  if (file.meta.trainingData !== trainingData) {
    const message = `Checkpoint belongs to training data ${String(file.meta.trainingData)}, got ${trainingData}.`;
    throw new CheckpointError('MALFORMED', message);
  }
  const valueCount = (train.userCount + train.itemCount) * hyperparameters.dimension;
  const state = {
    ego: file.float32('ego', valueCount).slice(),
    firstMoment: file.float32('firstMoment', valueCount).slice(),
    secondMoment: file.float32('secondMoment', valueCount).slice(),
    random: file.uint32('random', 4).slice(),
    step: file.number('step'),
    epoch: file.number('epoch'),
  };
  const bestMeta = file.meta.best as Omit<BestEpoch, 'ego'> | null;
  const best = bestMeta && { ...bestMeta, ego: file.float32('bestEgo', valueCount).slice() };
  return { model: await attachLightGcn({ train, hyperparameters, state, options }), best };
}

/** The saved model alone; see `loadCheckpoint`. */
export async function loadLightGcn(
  bytes: Uint8Array,
  train: InteractionMatrix,
  options: BackendOptions = {},
): Promise<LightGcn> {
  return (await loadCheckpoint(bytes, train, options)).model;
}

/** A fingerprint of the distinct training pairs: node numbers of each user's items, sorted, and the counts. */
function hashPairs(
  userOffsets: Int32Array,
  itemNodes: Int32Array,
  size: { edgeCount: number; itemCount: number },
): string {
  const hash = createHash('sha256').update(`${userOffsets.length - 1},${size.itemCount},${size.edgeCount};`);
  for (const column of [userOffsets, itemNodes.subarray(0, size.edgeCount)]) {
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  return hash.digest('hex').slice(0, 32);
}
