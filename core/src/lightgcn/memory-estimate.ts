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
const BASE_BYTES = 30e6;

/**
 * Bytes that training adds to a process at its peak, between loading the matrices and saving a checkpoint, within 20 %
 * (memory-estimate.test.ts measures it); for a preflight check.
 */
export function estimateMemoryBytes(size: TrainingSize): number {
  const { dimension, layers, batchSize, loss = 'bpr', backend, threads = availableParallelism() } = size;
  const nodeCount = size.userCount + size.itemCount;
  const stride = Math.ceil(dimension / 16) * 16;
  // JavaScript: three trained tables, the best epoch's, two of final vectors, and a checkpoint of four, of which some
  // outlive their use until the next collection.
  const tables = 12 * 4 * nodeCount * dimension;
  const ownTables = backend === 'native' ? (5 + Math.max(0, Math.min(2, layers - 1)) + 2) * stride : 5 * dimension;
  const batchRows = loss === 'softmax' ? Math.min(2 * batchSize, nodeCount) : 0;
  const batch =
    backend === 'native'
      ? 4 * batchRows * stride * (1 + 2 * threads)
      : 4 * dimension * (loss === 'softmax' ? nodeCount : 0);
  const graph = 60 * nodeCount + 4 * size.interactionCount * (backend === 'native' ? 11 : 9);
  const matrix = 20 * size.interactionCount * 2;
  return BASE_BYTES + tables + 4 * nodeCount * ownTables + batch + graph + matrix;
}
