import type { NodeTable } from './propagate.ts';

/**
 * What computes: plain TypeScript, C++ (core/native/lightgcn.cc), a GPU through WebGPU (Dawn, the npm package `webgpu`), or
 * TensorFlow.js where somebody installed it.
 */
export type BackendKind = 'reference' | 'native' | 'webgpu' | 'tfjs';

/** A wish for a back-end; `auto` takes the fastest that works here, never `tfjs`. */
export interface BackendOptions {
  readonly backend?: BackendKind | 'auto';
  /** Threads of the native back-end; default one for each processor that this process may use. */
  readonly threads?: number;
  /** Instruction set of the native back-end, one of the addon's `instructionSets`; default the fastest. */
  readonly instructionSet?: string;
}

/** Positions of equal length: a user node and the node of an item of the user. */
export interface PairBatch {
  readonly users: Int32Array;
  readonly positives: Int32Array;
}

/** Sampled triples of node numbers: a pair, and an item that the user does not have. */
export interface TripleBatch extends PairBatch {
  readonly negatives: Int32Array;
}

/** The softmax loss of one step. */
export interface SoftmaxSettings {
  /** Pairs that are each other's negatives: the batch is cut into runs of this length. */
  readonly chunkSize: number;
  readonly temperature: number;
  readonly secondTemperature: number;
  /** Added to the logit of an item as a negative, `[itemCount]`. */
  readonly itemBias: Float32Array;
}

export interface AdamRates {
  /** learning rate / (1 - firstDecay^step) */
  readonly rate: number;
  /** 1 / sqrt(1 - secondDecay^step) */
  readonly rootCorrection: number;
  readonly firstDecay: number;
  readonly secondDecay: number;
  readonly epsilon: number;
}

/** A result that is there at once or comes later. */
export type Answer<T> = T | Promise<T>;

/**
 * One model's computation. Between `begin` and `end` the back-end holds the state (ego vectors and moments); outside,
 * the arrays that it was created with do. All tables are `[nodeCount, dimension]`, users first.
 * Calls take effect in the order in which they are made, so that `step` need not wait for a loss that comes later;
 * batches and settings are read before the call returns. The owner calls `close`, after which no other call is allowed.
 */
export interface LightGcnBackend {
  readonly kind: BackendKind;
  /** What runs, for the record of a run: instruction set and threads, or the device. */
  readonly detail: string;
  begin(): Answer<void>;
  end(): Answer<void>;
  /** Writes the final vectors of `input`; both may be one table. */
  propagate(input: NodeTable, output: NodeTable): Answer<void>;
  /** The mean loss of a batch with regularisation; keeps the gradient by the final vectors. */
  bprLoss(batch: TripleBatch): Answer<number>;
  softmaxLoss(batch: PairBatch, settings: SoftmaxSettings): Answer<number>;
  /** The gradient of the latest loss by the ego vectors, good until the next call. */
  gradient(): Answer<NodeTable>;
  /** Adam's step along the gradient of the latest loss. */
  step(rates: AdamRates): void;
  /** Releases what is held outside JavaScript's heap; a second call does nothing. */
  close(): void;
  /** Mean seconds of one layer of propagation alone, within `begin`; for benchmarks, where the back-end can tell. */
  timeLayer?(repeats: number): Answer<number>;
}

/** The trained arrays of a model, `[nodeCount, dimension]` each. */
export interface TrainedTables {
  readonly ego: NodeTable;
  readonly firstMoment: NodeTable;
  readonly secondMoment: NodeTable;
}
