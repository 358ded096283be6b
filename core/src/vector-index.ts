import { open } from 'node:fs/promises';
import { buildExactIndex, EXACT_INDEX_MAGIC, openExactIndex } from './exact-index.ts';
import { chooseFactory, chooseIndex } from './choose-index.ts';
import { type FaissAddon, type FaissAddonState, loadFaissAddon } from './faiss-addon.ts';
import { buildFaissIndex, type FaissOpenOptions, openFaissIndex, type TunableIndex } from './faiss-index.ts';
import { checkShape, type VectorIndex, VectorIndexError } from './index-contract.ts';
import { tuneIndex } from './tune-index.ts';

export {
  type RowLists,
  type SearchOptions,
  type SearchResult,
  type VectorIndex,
  VectorIndexError,
} from './index-contract.ts';

export interface BuildOptions {
  /** What to build; default: what suits the number of vectors and the memory (`chooseIndex`), with the `reason` in the index. */
  readonly prefer?: 'exact' | 'faiss';
  /** FAISS factory string; default: `Flat` below 1,000 vectors, else `IVF<n>,Flat`. */
  readonly factory?: string;
  /** `[q, dimension]` vectors like those to be searched with, such as user vectors; default: the indexed vectors. */
  readonly queries?: Float32Array;
  /** The most memory that the index and its vectors may take where the choice is free; default: no bound. */
  readonly memoryBytes?: number;
  /** Recall@20 of exact search that the index is tuned to, in [0, 1]; default .98. */
  readonly recallFloor?: number;
  /** What to load instead of the built binding. */
  readonly binding?: FaissAddonState;
}

const RECALL_FLOOR = 0.98;

/**
 * An index over `vectors` (`[size, dimension]`, which must neither change nor be transferred while an exact index is open)
 * with its recall measured against exact search, and so broad a search by default that it reaches the floor on the sample
 * queries. Where the choice is free, the first form that reaches the floor is taken; where none does, the `notice` says so.
 * Exact search stands in, with a notice, where FAISS cannot be loaded.
 * @throws VectorIndexError WRONG_DIMENSION, NOT_FINITE, BAD_ARGUMENT or FAILED.
 */
export async function buildVectorIndex(
  vectors: Float32Array,
  dimension: number,
  options: BuildOptions = {},
): Promise<VectorIndex> {
  const size = checkShape(vectors, dimension);
  const { prefer, factory, recallFloor: floor = RECALL_FLOOR, memoryBytes = null, queries = vectors } = options;
  if (!(floor >= 0 && floor <= 1)) {
    throw new VectorIndexError('BAD_ARGUMENT', `recallFloor must be in [0, 1], got ${floor}.`);
  }
  const wanted = prefer ?? (factory === undefined ? null : 'faiss');
  const choice = wanted === null ? chooseIndex({ size, dimension, memoryBytes }) : null;
  const reason = choice?.reason ?? null;
  if ((choice?.kind ?? wanted) === 'exact') return await buildExactIndex(vectors, dimension, { reason });
  const binding = options.binding ?? loadFaissAddon();
  const { addon } = binding;
  if (!addon) return await buildExactIndex(vectors, dimension, { notice: standInNotice(binding.reason) });
  const exact = await buildExactIndex(vectors, dimension);
  try {
    const factories = choice?.factories ?? [factory ?? chooseFactory(size)];
    return await buildFirstAboveFloor(factories, { addon, vectors, exact, queries, floor, reason });
  } finally {
    exact.close();
  }
}

interface FaissBuild {
  readonly addon: FaissAddon;
  readonly vectors: Float32Array;
  readonly exact: VectorIndex;
  readonly queries: Float32Array;
  readonly floor: number;
  readonly reason: string | null;
}

/** The first form that reaches the floor; where none does, the one that comes nearest. */
async function buildFirstAboveFloor(factories: readonly string[], build: FaissBuild): Promise<VectorIndex> {
  let best: TunableIndex | null = null;
  for (const factory of factories) {
    const index = await buildTuned(factory, build);
    if (best !== null && (index.recallAt20 ?? 0) <= (best.recallAt20 ?? 0)) {
      index.close();
      continue;
    }
    best?.close();
    best = index;
    if ((best.recallAt20 ?? 0) >= build.floor) break;
  }
  if (!best) throw new VectorIndexError('BAD_ARGUMENT', 'Wanted at least one factory string, got none.');
  return best;
}

async function buildTuned(factory: string, build: FaissBuild): Promise<TunableIndex> {
  const { addon, vectors, exact, queries, floor, reason } = build;
  const index = await buildFaissIndex(addon, vectors, exact.dimension, factory);
  try {
    const { recallAt20, breadth } = await tuneIndex(index, exact, { queries, floor });
    const found = `recall@20 ${recallAt20.toFixed(3)}${breadth === null ? '' : ` at a breadth of ${breadth}`}`;
    if (reason !== null) index.setReason(`${reason} ${factory}: ${found}.`);
    if (recallAt20 < floor) index.setNotice(`${factory} misses the recall floor of ${floor}: ${found}.`);
    return index;
  } catch (error) {
    index.close();
    throw error;
  }
}

export interface OpenOptions extends FaissOpenOptions {
  /** The indexed vectors: exact search over them stands in, with a notice, where FAISS cannot be loaded. */
  readonly fallback?: { readonly vectors: Float32Array; readonly dimension: number };
  /** What to load instead of the built binding. */
  readonly binding?: FaissAddonState;
}

/**
 * Opens a file that `VectorIndex.write` wrote.
 * @throws VectorIndexError UNREADABLE when the file is missing, truncated or altered; UNAVAILABLE when it is a FAISS
 * index, FAISS cannot be loaded and no fallback is given.
 */
export async function openVectorIndex(path: string, options: OpenOptions = {}): Promise<VectorIndex> {
  if (await startsLikeExactIndex(path)) return await openExactIndex(path);
  const binding = options.binding ?? loadFaissAddon();
  if (binding.addon) return await openFaissIndex(binding.addon, path, options);
  const { fallback } = options;
  if (fallback) {
    return await buildExactIndex(fallback.vectors, fallback.dimension, { notice: standInNotice(binding.reason) });
  }
  throw new VectorIndexError('UNAVAILABLE', `FAISS cannot be loaded to open ${path}: ${binding.reason}.`);
}

async function startsLikeExactIndex(path: string): Promise<boolean> {
  try {
    await using file = await open(path, 'r');
    const start = Buffer.alloc(EXACT_INDEX_MAGIC.length);
    await file.read(start, 0, start.length, 0);
    return start.toString('latin1') === EXACT_INDEX_MAGIC;
  } catch (cause) {
    throw new VectorIndexError('UNREADABLE', `${path}: ${String(cause)}`, { cause });
  }
}

function standInNotice(reason: string): string {
  return `FAISS is unavailable (${reason}); exact search stands in.`;
}
