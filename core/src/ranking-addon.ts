import type { AddonForm, AddonState } from '@kindred/native/load-addon';
import { loadAddon } from './load-addon.ts';
import type { NativeSearch } from './native-search.ts';

/**
 * Item vectors, copied and packed for one kind of processor, outside JavaScript until closed. Both rankings take
 * (userVectors `[users, dimension]`, excludedOffsets `[users + 1]`, excludedItems, count, threads) with the excluded items of
 * each user rising, and give item rows `[users, count]`, best first, equal scores by row, -1 where there are no more.
 * Errors carry a `code`: RANKING_BAD_ARGUMENT or RANKING_FAILED.
 */
export interface PackedItems {
  readonly kernels: string;
  readonly sizeBytes: number;
  rank(...search: RankingCall): Int32Array<ArrayBuffer>;
  /** On the libuv pool, on a copy of the arguments. */
  rankAsync(...search: RankingCall): Promise<Int32Array<ArrayBuffer>>;
  /** Frees the memory, once rankings under way are done; no further ones are taken. */
  close(): void;
}

export type RankingCall = [
  userVectors: Float32Array,
  excludedOffsets: Int32Array,
  excludedItems: Int32Array,
  count: number,
  threads: number,
];

/** core/native/ranking.cc: exact top-k by inner product, equal to `rankByReference` in every row. */
export interface RankingAddon {
  /** What this processor can run, fastest first. */
  readonly kernelNames: readonly string[];
  /** An empty `kernels` stands for the fastest. */
  readonly PackedItems: new (
    itemVectors: Float32Array,
    dimension: number,
    kernels: string,
  ) => PackedItems;
  /** Reads the vectors in place until the search is closed: they must be neither changed nor transferred. */
  createSearch(
    itemVectors: Float32Array,
    dimension: number,
    kernels: string,
    precision: ScanPrecision,
  ): Promise<NativeExactIndex>;
}

/**
 * What is scanned for candidates, whose scores then are summed in float64: the vectors, or 8 bits of each value, in a
 * quarter of the memory. A proven bound on what the 8 bits may be off makes the results the same.
 */
export type ScanPrecision = 'int8' | 'float32';

/** An exact index of core/native/ranking-index.cc; its search ignores nprobe and efSearch. */
export interface NativeExactIndex {
  readonly kernels: string;
  /** Outside JavaScript, without the vectors. */
  readonly sizeBytes: number;
  readonly search: NativeSearch;
  /** Frees the memory, once searches under way are done. */
  close(): void;
}

/** The addon, or why there is none. */
export type RankingAddonState = AddonState<RankingAddon>;

export const RANKING_ADDON: AddonForm<RankingAddon> = {
  name: 'ranking',
  members: ['kernelNames', 'PackedItems', 'createSearch'],
};

/** Loads the addon once per thread; never throws. */
export function loadRankingAddon(): RankingAddonState {
  return loadAddon(RANKING_ADDON);
}
