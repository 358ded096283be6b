import { writeFile } from 'node:fs/promises';
import { decodeColumns, encodeColumns, FileFormatError } from './columnar-file.ts';
import {
  checkSearch,
  checkVectors,
  type SearchOptions,
  type SearchResult,
  type VectorIndex,
  VectorIndexError,
} from './index-contract.ts';
import { scoreItems, topRows } from './scoring.ts';
import { writeIndexFile } from './write-index-file.ts';

/** The first characters of an exact index's file. */
export const EXACT_INDEX_MAGIC = 'KNDEXCT1';

const FORMAT = { magic: EXACT_INDEX_MAGIC, error: FileFormatError };

/**
 * An index that compares each query with every vector: always right, nothing to train. It reads `vectors`
 * (`[size, dimension]`) in place, so that they must not change while it is open.
 * @throws VectorIndexError as `checkVectors`.
 */
export function createExactIndex(vectors: Float32Array, dimension: number, notice: string | null = null): VectorIndex {
  const size = checkVectors(vectors, dimension);
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
    kind: 'exact',
    factory: null,
    size,
    dimension,
    notice,
    recallAt20: 1,
    search: async (queries, k, options = {}) => search(queries, k, options),
    async write(path) {
      if (state.closed) throw new VectorIndexError('CLOSED', 'The index is closed.');
      const bytes = encodeColumns(FORMAT, { dimension, size }, { vectors });
      await writeIndexFile(path, (temporaryPath) => writeFile(temporaryPath, bytes));
    },
    close() {
      state.closed = true;
    },
  };
}

function keepOnly(scores: Float64Array, rows: Int32Array): void {
  const kept = [...rows].map((row) => [row, scores[row]] as const);
  scores.fill(Number.NEGATIVE_INFINITY);
  for (const [row, score] of kept) if (score !== undefined) scores[row] = score;
}

/** The exact index in the bytes of a file. @throws VectorIndexError UNREADABLE. */
export function decodeExactIndex(bytes: Uint8Array): VectorIndex {
  try {
    const file = decodeColumns(FORMAT, bytes);
    const dimension = file.number('dimension');
    return createExactIndex(file.float32('vectors', file.number('size') * dimension), dimension);
  } catch (cause) {
    if (!(cause instanceof FileFormatError)) throw cause;
    throw new VectorIndexError('UNREADABLE', cause.message, { cause });
  }
}
