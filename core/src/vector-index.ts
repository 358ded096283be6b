import { open, readFile } from 'node:fs/promises';
import { createExactIndex, decodeExactIndex, EXACT_INDEX_MAGIC } from './exact-index.ts';
import { type FaissAddonState, loadFaissAddon } from './faiss-addon.ts';
import { buildFaissIndex, type FaissOpenOptions, openFaissIndex, type TunableIndex } from './faiss-index.ts';
import { checkVectors, type VectorIndex, VectorIndexError } from './index-contract.ts';

export {
  type RowLists,
  type SearchOptions,
  type SearchResult,
  type VectorIndex,
  VectorIndexError,
} from './index-contract.ts';

export interface BuildOptions {
  /** Default `faiss`; exact search stands in, with a notice, where the binding cannot be loaded. */
  readonly prefer?: 'exact' | 'faiss';
  /** FAISS factory string; default: `Flat` below 1,000 vectors, else `IVF<n>,Flat`. */
  readonly factory?: string;
  /** `[q, dimension]` vectors like those to be searched with, such as user vectors; default: the indexed vectors. */
  readonly queries?: Float32Array;
  /** What to load instead of the built binding. */
  readonly binding?: FaissAddonState;
}

const FEWEST_FOR_IVF = 1000;
/** FAISS warns below 39 training points per list. */
const POINTS_PER_LIST = 39;
const RECALL_FLOOR = 0.98;
const RECALL_AT = 20;
const MOST_SAMPLE_QUERIES = 500;

/**
 * An index over `vectors` (`[size, dimension]`, which must not change while an exact index is open) with its recall
 * measured against exact search. An IVF index visits as few lists as give recall@20 >= 0.98 on the sample queries.
 * @throws VectorIndexError WRONG_DIMENSION, NOT_FINITE, BAD_ARGUMENT or FAILED.
 */
export async function buildVectorIndex(
  vectors: Float32Array,
  dimension: number,
  options: BuildOptions = {},
): Promise<VectorIndex> {
  const size = checkVectors(vectors, dimension);
  if (options.prefer === 'exact') return createExactIndex(vectors, dimension);
  const binding = options.binding ?? loadFaissAddon();
  if (!binding.addon) return createExactIndex(vectors, dimension, standInNotice(binding.reason));
  const factory = options.factory ?? chooseFactory(size);
  const index = await buildFaissIndex(binding.addon, vectors, dimension, factory);
  try {
    const exact = createExactIndex(vectors, dimension);
    const queries = sampleRows(options.queries ?? vectors, dimension);
    const listCount = Number(/IVF(\d+)/.exec(factory)?.[1] ?? 0);
    index.setRecallAt20(await tuneNprobe(index, exact, { queries, listCount }));
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
  if (await startsLikeExactIndex(path)) return decodeExactIndex(await readFile(path));
  const binding = options.binding ?? loadFaissAddon();
  if (binding.addon) return await openFaissIndex(binding.addon, path, options);
  const { fallback } = options;
  if (fallback) return createExactIndex(fallback.vectors, fallback.dimension, standInNotice(binding.reason));
  throw new VectorIndexError('UNAVAILABLE', `FAISS cannot be loaded to open ${path}: ${binding.reason}.`);
}

/** Share of the exact best k rows that `index` finds with its own settings, a mean over `queries`, in [0, 1]. */
export async function measureRecall(
  index: VectorIndex,
  exact: VectorIndex,
  queries: Float32Array,
  k: number,
): Promise<number> {
  return compareRows((await index.search(queries, k)).rows, (await exact.search(queries, k)).rows, k);
}

function compareRows(found: Int32Array, wanted: Int32Array, k: number): number {
  let hits = 0;
  for (let start = 0; start < wanted.length; start += k) {
    const own = new Set(found.subarray(start, start + k));
    for (const row of wanted.subarray(start, start + k)) hits += own.has(row) ? 1 : 0;
  }
  return hits / wanted.length;
}

/** Doubles nprobe until the recall floor is reached (at the latest when all lists are visited); returns the recall. */
async function tuneNprobe(
  index: TunableIndex,
  exact: VectorIndex,
  { queries, listCount }: { queries: Float32Array; listCount: number },
): Promise<number> {
  const k = Math.min(RECALL_AT, index.size);
  const wanted = (await exact.search(queries, k)).rows;
  if (listCount === 0) return compareRows((await index.search(queries, k)).rows, wanted, k);
  for (let nprobe = 1; ; nprobe = Math.min(nprobe * 2, listCount)) {
    const recall = compareRows((await index.search(queries, k, { nprobe })).rows, wanted, k);
    if (recall < RECALL_FLOOR && nprobe < listCount) continue;
    index.setDefaultNprobe(nprobe);
    return recall;
  }
}

function chooseFactory(size: number): string {
  if (size < FEWEST_FOR_IVF) return 'Flat';
  return `IVF${Math.floor(Math.min(4 * Math.sqrt(size), size / POINTS_PER_LIST))},Flat`;
}

/** At most 500 rows, evenly spread over the table. */
function sampleRows(table: Float32Array, dimension: number): Float32Array {
  const count = table.length / dimension;
  if (count <= MOST_SAMPLE_QUERIES) return table;
  const sample = new Float32Array(MOST_SAMPLE_QUERIES * dimension);
  for (let index = 0; index < MOST_SAMPLE_QUERIES; index++) {
    const row = Math.floor((index * count) / MOST_SAMPLE_QUERIES);
    sample.set(table.subarray(row * dimension, (row + 1) * dimension), index * dimension);
  }
  return sample;
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
