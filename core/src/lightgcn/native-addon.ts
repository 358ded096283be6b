import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

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
  /** Bytes per second at which `threads` together read `reads` whole rows of `stride` floats at random places. */
  measureRowBandwidth(rowCount: number, stride: number, reads: number, threads: number): number;
  readonly Trainer: new (
    userCount: number,
    nodeCount: number,
    offsets: Int32Array,
    neighbors: Int32Array,
    ...settings: [dimension: number, layerWeights: Float32Array, threads: number, instructionSet: string]
  ) => NativeTrainer;
}

/** The addon, or why there is none. */
export type LightGcnAddonState = { readonly addon: LightGcnAddon } | { readonly addon: null; readonly reason: string };

const BUILD_FOLDER = join(import.meta.dirname, '..', '..', 'build');

let loaded: LightGcnAddonState | undefined;

/** Loads core/build/lightgcn.node once per thread; never throws. */
export function loadLightGcnAddon(): LightGcnAddonState {
  loaded ??= loadLightGcnAddonFrom(BUILD_FOLDER);
  return loaded;
}

/** As `loadLightGcnAddon`, from another folder and without remembering. */
export function loadLightGcnAddonFrom(buildFolder: string): LightGcnAddonState {
  const path = join(buildFolder, 'lightgcn.node');
  if (!existsSync(path)) {
    const reasonPath = join(buildFolder, 'lightgcn-unavailable.txt');
    const reason = existsSync(reasonPath)
      ? readFileSync(reasonPath, 'utf8').trim()
      : 'the addon was not built (npm run build -w core)';
    return { addon: null, reason };
  }
  try {
    const addon: unknown = createRequire(import.meta.url)(path);
    if (isLightGcnAddon(addon)) return { addon };
    return { addon: null, reason: `${path} is not the LightGCN addon` };
  } catch (error) {
    return { addon: null, reason: error instanceof Error ? error.message : String(error) };
  }
}

function isLightGcnAddon(value: unknown): value is LightGcnAddon {
  return typeof value === 'object' && value !== null && 'Trainer' in value && 'instructionSets' in value;
}
