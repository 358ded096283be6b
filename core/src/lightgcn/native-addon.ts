import type { AddonForm, AddonState } from '@kindred/native/load-addon';
import { loadAddon } from '../load-addon.ts';

/**
 * A model's computation in core/native/lightgcn.cc; every call is synchronous. Errors carry a `code`:
 * LIGHTGCN_BAD_ARGUMENT or LIGHTGCN_FAILED. Nodes and tables are the caller's, without padding.
 */
export interface NativeTrainer {
  /** Bytes held outside JavaScript; 0 after `close`. */
  readonly sizeBytes: number;
  readonly instructionSet: string;
  loadState(ego: Float32Array, firstMoment: Float32Array, secondMoment: Float32Array): void;
  storeState(ego: Float32Array, firstMoment: Float32Array, secondMoment: Float32Array): void;
  propagate(input: Float32Array, output: Float32Array): void;
  bprLoss(users: Int32Array, positives: Int32Array, negatives: Int32Array, regularization: number): number;
  softmaxLoss(
    users: Int32Array,
    items: Int32Array,
    regularization: number,
    chunkSize: number,
    ...settings: [temperature: number, secondTemperature: number, itemBias: Float32Array]
  ): number;
  gradient(output: Float32Array): void;
  step(
    rate: number,
    rootCorrection: number,
    ...decays: [firstDecay: number, secondDecay: number, epsilon: number]
  ): void;
  /** Mean seconds of one propagation layer over the loaded ego vectors, for benchmarks. */
  timeLayer(repeats: number): number;
  close(): void;
}

export interface LightGcnAddon {
  /** What this processor can run, fastest first. */
  readonly instructionSets: readonly string[];
  /**
   * Bytes per second at which `threads` together read the rows of a table `[rowCount, stride]` float32 in the order of
   * `rows`, summing and storing nothing: what propagation along the same rows could reach at best. `stride` is a multiple of 16.
   */
  measureRowBandwidth(rowCount: number, stride: number, rows: Int32Array, threads: number): number;
  /** Bytes per second of STREAM's triad over three arrays of `floatCount` float32. */
  measureStreamBandwidth(floatCount: number, threads: number): number;
  readonly Trainer: new (
    userCount: number,
    nodeCount: number,
    offsets: Int32Array,
    neighbors: Int32Array,
    ...settings: [dimension: number, layerWeights: Float32Array, threads: number, instructionSet: string]
  ) => NativeTrainer;
}

/** The addon, or why there is none. */
export type LightGcnAddonState = AddonState<LightGcnAddon>;

export const LIGHTGCN_ADDON: AddonForm<LightGcnAddon> = { name: 'lightgcn', members: ['instructionSets', 'Trainer'] };

/** Loads the addon once per thread; never throws. */
export function loadLightGcnAddon(): LightGcnAddonState {
  return loadAddon(LIGHTGCN_ADDON);
}
