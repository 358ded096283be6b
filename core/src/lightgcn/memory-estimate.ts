import { availableParallelism } from 'node:os';
import type { BackendKind } from './backend.ts';
import type { LossName } from './hyperparameters.ts';

/** What the memory of a training depends on. */
export interface TrainingSize {
  readonly userCount: number;
  readonly itemCount: number;
  readonly interactionCount: number;
  readonly dimension: number;
  readonly layers: number;
  readonly batchSize: number;
  /** `bpr` where absent, as in the hyperparameters. */
  readonly loss?: LossName | undefined;
  readonly backend: BackendKind;
  /** Of the native back-end; default one for each processor, as in `BackendOptions`. */
  readonly threads?: number;
}

/** What V8 adds for code and garbage. */
const BASE_BYTES = 25e6;

/** What Dawn and a graphics card's driver take in the process: 86 MB with NVIDIA's 580 on Linux. */
const DRIVER_BYTES = 86e6;

/**
 * Bytes that training adds to a process at its peak, between loading the matrices and saving a checkpoint, every user
 * being ranked after each epoch, within 20 % (memory-estimate.test.ts measures it); for a preflight check.
 */
export function estimateMemoryBytes(size: TrainingSize): number {
  // A checkpoint's four tables, beside final vectors that outlive their use.
  const saving = 5 * tableBytes(size);
  const matrices = 20 * size.interactionCount;
  return heldBytes(size) + Math.max(rankingBytes(size), saving) + matrices;
}

/** The part of it that training and ranking take, on matrices that are there and without a checkpoint. */
export function estimateTraining(size: TrainingSize): number {
  return heldBytes(size) + rankingBytes(size);
}

/**
 * What ranking all users after an epoch takes: final vectors, whole and by side, the users' gathered, the items' copied and
 * packed, all known items as lists and as the native code reads them, and of each user the list and its measures.
 */
function rankingBytes(size: TrainingSize): number {
  const { userCount, itemCount, interactionCount, dimension } = size;
  const packed = 4 * dimension * (userCount + 2 * itemCount);
  return 2 * tableBytes(size) + packed + 8 * interactionCount + 160 * userCount;
}

/** What a training holds from its begin to its end. */
function heldBytes(size: TrainingSize): number {
  const { dimension, layers, batchSize, loss = 'bpr', backend, threads = availableParallelism() } = size;
  const nodeCount = size.userCount + size.itemCount;
  const stride = Math.ceil(dimension / 16) * 16;
  // JavaScript: three trained tables and the best epoch's.
  const tables = 4 * tableBytes(size);
  // What layers after the first are computed in is used in turns, or there until it is collected.
  const betweenLayers = Math.max(0, Math.min(2, layers - 1));
  const ownTables = backend === 'native' ? (5 + betweenLayers + 2) * stride : (5 + betweenLayers) * dimension;
  const graph = 60 * nodeCount + 4 * size.interactionCount * (backend === 'native' ? 16 : 14);
  const base = BASE_BYTES + (backend === 'webgpu' ? DRIVER_BYTES : 0);
  const rest = base + tables + 4 * nodeCount * ownTables + graph;
  if (loss === 'bpr') return rest;
  if (backend !== 'native') return rest + tableBytes(size);
  // Of a batch's nodes their directions and for each thread a gradient; of its items two copies for each thread.
  const users = distinctOf(size.userCount, batchSize);
  const items = distinctOf(size.itemCount, batchSize);
  return rest + 4 * stride * ((users + items) * (1 + threads) + 2 * items * threads);
}

/** How many of `count` are among so many random draws. */
function distinctOf(count: number, draws: number): number {
  return count * (1 - Math.exp(-draws / Math.max(1, count)));
}

function tableBytes({ userCount, itemCount, dimension }: TrainingSize): number {
  return 4 * (userCount + itemCount) * dimension;
}
