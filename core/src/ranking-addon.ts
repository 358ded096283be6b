import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * Item vectors, copied and packed for one kind of processor, outside JavaScript until collected. Both calls take
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
}

/** The addon, or why there is none. */
export type RankingAddonState = { readonly addon: RankingAddon } | { readonly addon: null; readonly reason: string };

const BUILD_FOLDER = join(import.meta.dirname, '..', 'build');

let loaded: RankingAddonState | undefined;

/** Loads core/build/ranking.node once per thread; never throws. */
export function loadRankingAddon(): RankingAddonState {
  loaded ??= loadRankingAddonFrom(BUILD_FOLDER);
  return loaded;
}

/** As `loadRankingAddon`, from another folder and without remembering. */
export function loadRankingAddonFrom(buildFolder: string): RankingAddonState {
  const path = join(buildFolder, 'ranking.node');
  if (!existsSync(path)) {
    const reasonPath = join(buildFolder, 'ranking-unavailable.txt');
    const reason = existsSync(reasonPath)
      ? readFileSync(reasonPath, 'utf8').trim()
      : 'the addon was not built (npm run build -w core)';
    return { addon: null, reason };
  }
  try {
    const addon: unknown = createRequire(import.meta.url)(path);
    if (isRankingAddon(addon)) return { addon };
    return { addon: null, reason: `${path} is not the ranking addon` };
  } catch (error) {
    return { addon: null, reason: error instanceof Error ? error.message : String(error) };
  }
}

function isRankingAddon(value: unknown): value is RankingAddon {
  return typeof value === 'object' && value !== null && 'PackedItems' in value && 'kernelNames' in value;
}
