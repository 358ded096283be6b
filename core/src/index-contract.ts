import { setImmediate } from 'node:timers/promises';

/** A list of rows for each of q queries, in any order: those of query i are `rows[offsets[i] .. offsets[i + 1])`. */
export interface RowLists {
  /** `[q + 1]`, from 0 to the number of rows, never falling. */
  readonly offsets: Int32Array;
  readonly rows: Int32Array;
}

/** Search options; every implementation honours those about rows, the others apply where the index has the notion. */
export interface SearchOptions {
  /** Rows that no query of this call may return; rows outside the index are ignored. */
  readonly excludeRows?: Int32Array | undefined;
  /** Rows that each query may not return beside `excludeRows`; rows outside the index are ignored. */
  readonly excludeRowsOf?: RowLists | undefined;
  /**
   * The only rows that may be returned, in any order; rows outside the index are ignored. All of them are compared, so
   * that the answer is as exact as the vectors that the index holds: time follows their number.
   */
  readonly onlyRows?: Int32Array | undefined;
  /** Inverted lists to visit (IVF); default: the tuned number stored with the index. */
  readonly nprobe?: number | undefined;
  /** Breadth of the graph search (HNSW); default: the tuned number stored with the index. */
  readonly efSearch?: number | undefined;
}

/** Results of q queries, `[q, k]`: best first by inner product. Where fewer than k rows are left: row -1, score -Infinity. */
export interface SearchResult {
  readonly rows: Int32Array;
  readonly scores: Float32Array;
}

/** Maximum-inner-product search over a fixed table of vectors; row numbers are those of the table. */
export interface VectorIndex {
  readonly kind: 'exact' | 'faiss';
  /** FAISS's factory string, null for `exact`. */
  readonly factory: string | null;
  readonly size: number;
  readonly dimension: number;
  /** Why this is not what was asked for (a stand-in or too low a recall, which operators must see), null when it is. */
  readonly notice: string | null;
  /** Why an index of this kind suits the catalogue; null where it was asked for by name. */
  readonly reason: string | null;
  /** Share of the exact best 20 that it finds with its own settings, measured when it was built; null when unknown. */
  readonly recallAt20: number | null;
  /**
   * Searches `[q, dimension]` queries. The queries may be reused once the call has returned.
   * @throws VectorIndexError WRONG_DIMENSION, NOT_FINITE, BAD_ARGUMENT (k outside [1, 4096], lists for another number of
   * queries), CLOSED, FAILED.
   */
  search(queries: Float32Array, k: number, options?: SearchOptions): Promise<SearchResult>;
  /** Writes the index to `path`, whole or not at all. @throws VectorIndexError CLOSED, FAILED. */
  write(path: string): Promise<void>;
  /** Frees the index; searches under way still end well. Closing twice is fine. */
  close(): void;
}

/**
 * Why an index cannot be built, opened or searched. UNREADABLE: missing, truncated, altered or foreign file.
 * UNAVAILABLE: the library behind it cannot be loaded. FAILED: the library refused; the message is its own.
 */
export class VectorIndexError extends Error {
  readonly reason:
    | 'WRONG_DIMENSION'
    | 'NOT_FINITE'
    | 'BAD_ARGUMENT'
    | 'CLOSED'
    | 'UNREADABLE'
    | 'UNAVAILABLE'
    | 'FAILED';

  constructor(reason: VectorIndexError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'VectorIndexError';
    this.reason = reason;
  }
}

const LARGEST_K = 4096;

/** Values whose check takes a millisecond or two. */
const CHECKED_AT_ONCE = 2 ** 19;

/**
 * Checks the vectors of an index to be and returns their number; lets other work in between parts of a large table.
 * @throws VectorIndexError WRONG_DIMENSION, NOT_FINITE or, without vectors, BAD_ARGUMENT.
 */
export async function checkVectors(vectors: Float32Array, dimension: number): Promise<number> {
  const size = checkShape(vectors, dimension);
  for (let start = 0; start < vectors.length; start += CHECKED_AT_ONCE) {
    if (start > 0) await setImmediate();
    checkFinite(vectors, dimension, { start, end: start + CHECKED_AT_ONCE });
  }
  return size;
}

/**
 * The number of vectors, which are not looked at.
 * @throws VectorIndexError WRONG_DIMENSION or, without vectors, BAD_ARGUMENT.
 */
export function checkShape(vectors: Float32Array, dimension: number): number {
  if (!Number.isInteger(dimension) || dimension < 1 || vectors.length % dimension !== 0) {
    throw new VectorIndexError('WRONG_DIMENSION', `${vectors.length} values are no rows of dimension ${dimension}.`);
  }
  if (vectors.length === 0) throw new VectorIndexError('BAD_ARGUMENT', 'Wanted at least one vector, got 0.');
  return vectors.length / dimension;
}

/** @throws VectorIndexError NOT_FINITE for a value of `[start, end)`. */
export function checkFinite(
  vectors: Float32Array,
  dimension: number,
  { start, end }: { start: number; end: number },
): void {
  const found = vectors.subarray(start, end).findIndex((value) => !Number.isFinite(value));
  if (found < 0) return;
  const position = start + found;
  const place = `row ${Math.floor(position / dimension)}, column ${position % dimension}`;
  throw new VectorIndexError('NOT_FINITE', `Vector value at ${place} is ${vectors[position]}.`);
}

/**
 * Checks a search before it runs and returns the number of queries.
 * @throws VectorIndexError as `VectorIndex.search`.
 */
export function checkSearch(
  index: { dimension: number; closed: boolean },
  queries: Float32Array,
  { k, excludeRowsOf }: { k: number; excludeRowsOf: RowLists | undefined },
): number {
  if (index.closed) throw new VectorIndexError('CLOSED', 'The index is closed.');
  if (!Number.isInteger(k) || k < 1 || k > LARGEST_K) {
    throw new VectorIndexError('BAD_ARGUMENT', `k must be a whole number in [1, ${LARGEST_K}], got ${k}.`);
  }
  const queryCount = checkShape(queries, index.dimension);
  checkFinite(queries, index.dimension, { start: 0, end: queries.length });
  if (excludeRowsOf) checkLists(excludeRowsOf, queryCount);
  return queryCount;
}

function checkLists({ offsets, rows }: RowLists, queryCount: number): void {
  const refuse = (wanted: string) => {
    throw new VectorIndexError('BAD_ARGUMENT', `The offsets of excludeRowsOf must ${wanted}.`);
  };
  if (offsets.length !== queryCount + 1) refuse(`number ${queryCount + 1}, got ${offsets.length}`);
  if (offsets[0] !== 0 || offsets[queryCount] !== rows.length) {
    refuse(`go from 0 to ${rows.length}, got ${offsets[0]} to ${offsets[queryCount]}`);
  }
  const fall = offsets.findIndex((offset, at) => at > 0 && offset < (offsets[at - 1] ?? 0));
  if (fall >= 0) refuse(`never fall, got ${offsets[fall - 1]} before ${offsets[fall]}`);
}
