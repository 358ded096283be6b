import { writeFile } from 'node:fs/promises';
import { decodeColumns, encodeColumns, FileFormatError } from './columnar-file.ts';
import { checkSearch, checkVectors, type SearchResult, type VectorIndex, VectorIndexError } from './index-contract.ts';
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
  const search = (queries: Float32Array, k: number, excludeRows: Int32Array): SearchResult => {
    const queryCount = checkSearch(state, queries, k);
    const rows = new Int32Array(queryCount * k).fill(-1);
    const scores = new Float32Array(queryCount * k).fill(Number.NEGATIVE_INFINITY);
    const all = new Float64Array(size);
    for (let query = 0; query < queryCount; query++) {
      scoreItems(vectors, Float64Array.from(queries.subarray(query * dimension, (query + 1) * dimension)), all);
      for (const row of excludeRows) if (row >= 0 && row < size) all[row] = Number.NEGATIVE_INFINITY;
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
    search: async (queries, k, options) => search(queries, k, options?.excludeRows ?? new Int32Array(0)),
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
