import { writeFile } from 'node:fs/promises';
import { decodeColumns, encodeColumns, FileFormatError, matchesHash } from './columnar-file.ts';
import {
  checkFinite,
  checkSearch,
  checkShape,
  checkVectors,
  type SearchOptions,
  type SearchResult,
  type VectorIndex,
  VectorIndexError,
} from './index-contract.ts';
import { mapFile } from './map-file.ts';
import { toNativeOptions } from './native-search.ts';
import { loadRankingAddon, type RankingAddonState, type ScanPrecision } from './ranking-addon.ts';
import { scoreItems, topRows } from './scoring.ts';
import { writeIndexFile } from './write-index-file.ts';

/** The first characters of an exact index's file. */
export const EXACT_INDEX_MAGIC = 'KNDEXCT1';

const FORMAT = { magic: EXACT_INDEX_MAGIC, error: FileFormatError };

/** How an exact index is made. */
export interface ExactOptions {
  /** See `VectorIndex.notice`. */
  readonly notice?: string | null;
  /** See `VectorIndex.reason`. */
  readonly reason?: string | null;
  /** What to load instead of the built addon. */
  readonly ranking?: RankingAddonState;
  /** Default `int8`. */
  readonly precision?: ScanPrecision;
}

/**
 * An index that compares each query with every vector: always right, nothing to train. Native code does it; where that
 * cannot be loaded plain TypeScript stands in, with a notice. It reads `vectors` (`[size, dimension]`) in place, so that
 * they must be neither changed nor transferred while it is open.
 * @throws VectorIndexError as `checkVectors`; FAILED where memory is short.
 */
export async function buildExactIndex(
  vectors: Float32Array,
  dimension: number,
  { notice = null, reason = null, ranking = loadRankingAddon(), precision = 'int8' }: ExactOptions = {},
): Promise<VectorIndex> {
  const size = await checkVectors(vectors, dimension);
  if (!ranking.addon) {
    const standIn = `Native search is unavailable (${ranking.reason}); plain TypeScript stands in.`;
    return createExactIndex(vectors, dimension, { notice: notice === null ? standIn : `${notice} ${standIn}`, reason });
  }
  const native = await translated(ranking.addon.createSearch(vectors, dimension, '', precision));
  const state = { dimension, closed: false };
  return {
    ...describe(vectors, state, { size, notice, reason }),
    async search(queries, k, options = {}) {
      checkSearch(state, queries, { k, excludeRowsOf: options.excludeRowsOf });
      return await translated(native.search(queries, k, toNativeOptions(options)));
    },
    close() {
      state.closed = true;
      native.close();
    },
  };
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new VectorIndexError('FAILED', `Exact search: ${message}`, { cause });
  }
}

/** As `buildExactIndex`, in plain TypeScript on the caller's thread: the reference that others are compared with. */
export function createExactIndex(
  vectors: Float32Array,
  dimension: number,
  { notice = null, reason = null }: Pick<ExactOptions, 'notice' | 'reason'> = {},
): VectorIndex {
  const size = checkShape(vectors, dimension);
  checkFinite(vectors, dimension, { start: 0, end: vectors.length });
  const state = { dimension, closed: false };
  const search = (queries: Float32Array, k: number, options: SearchOptions): SearchResult => {
    const { excludeRows, excludeRowsOf, onlyRows } = options;
    const queryCount = checkSearch(state, queries, { k, excludeRowsOf });
    const rows = new Int32Array(queryCount * k).fill(-1);
    const scores = new Float32Array(queryCount * k).fill(Number.NEGATIVE_INFINITY);
    const all = new Float64Array(size);
    const hide = (hidden: Int32Array | undefined) => {
      for (const row of hidden ?? []) if (row >= 0 && row < size) all[row] = Number.NEGATIVE_INFINITY;
    };
    for (let query = 0; query < queryCount; query++) {
      scoreItems(vectors, Float64Array.from(queries.subarray(query * dimension, (query + 1) * dimension)), all);
      if (onlyRows) keepOnly(all, onlyRows);
      hide(excludeRows);
      hide(excludeRowsOf?.rows.subarray(excludeRowsOf.offsets[query], excludeRowsOf.offsets[query + 1]));
      const best = topRows(all, k);
      rows.set(best, query * k);
      for (const [rank, row] of best.entries()) scores[query * k + rank] = all[row] ?? 0;
    }
    return { rows, scores };
  };
  return {
    ...describe(vectors, state, { size, notice, reason }),
    search: async (queries, k, options = {}) => search(queries, k, options),
    close() {
      state.closed = true;
    },
  };
}

function describe(
  vectors: Float32Array,
  state: { readonly dimension: number; closed: boolean },
  { size, notice, reason }: { size: number; notice: string | null; reason: string | null },
): Omit<VectorIndex, 'search' | 'close'> {
  const { dimension } = state;
  return {
    kind: 'exact',
    factory: null,
    size,
    dimension,
    notice,
    reason,
    recallAt20: 1,
    async write(path) {
      if (state.closed) throw new VectorIndexError('CLOSED', 'The index is closed.');
      const bytes = encodeColumns(FORMAT, { dimension, size }, { vectors });
      await writeIndexFile(path, (temporaryPath) => writeFile(temporaryPath, bytes));
    },
  };
}

function keepOnly(scores: Float64Array, rows: Int32Array): void {
  const kept = [...rows].map((row) => [row, scores[row]] as const);
  scores.fill(Number.NEGATIVE_INFINITY);
  for (const [row, score] of kept) if (score !== undefined) scores[row] = score;
}

/**
 * Opens a file that an exact index wrote, without reading its vectors into memory.
 * @throws VectorIndexError UNREADABLE when the file is truncated or altered.
 */
export async function openExactIndex(path: string, options: ExactOptions = {}): Promise<VectorIndex> {
  const { vectors, dimension } = await readVectors(path);
  return await buildExactIndex(vectors, dimension, options);
}

async function readVectors(path: string): Promise<{ vectors: Float32Array; dimension: number }> {
  try {
    const bytes = await mapFile(path);
    const file = decodeColumns(FORMAT, bytes, { isHashChecked: await matchesHash(bytes) });
    const dimension = file.number('dimension');
    return { vectors: file.float32('vectors', file.number('size') * dimension), dimension };
  } catch (cause) {
    if (!(cause instanceof FileFormatError)) throw cause;
    throw new VectorIndexError('UNREADABLE', cause.message, { cause });
  }
}
