/** Search options; every implementation honours `excludeRows`, the others apply where the index has the notion. */
export interface SearchOptions {
  /** Rows that no query of this call may return; rows outside the index are ignored. */
  readonly excludeRows?: Int32Array | undefined;
  /** Inverted lists to visit (IVF); default: the tuned number stored with the index. */
  readonly nprobe?: number | undefined;
  /** Breadth of the graph search (HNSW); default: the number stored with the index. */
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
  /** Why this is not the index that was asked for (a fallback that operators must see), null when it is. */
  readonly notice: string | null;
  /** Share of the exact best 20 that it finds with its own settings, measured when it was built; null when unknown. */
  readonly recallAt20: number | null;
  /**
   * Searches `[q, dimension]` queries. The queries may be reused once the call has returned.
   * @throws VectorIndexError WRONG_DIMENSION, NOT_FINITE, BAD_ARGUMENT (k outside [1, 4096]), CLOSED, FAILED.
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

/**
 * Checks the vectors of an index to be and returns their number.
 * @throws VectorIndexError WRONG_DIMENSION, NOT_FINITE or, without vectors, BAD_ARGUMENT.
 */
export function checkVectors(vectors: Float32Array, dimension: number): number {
  if (!Number.isInteger(dimension) || dimension < 1 || vectors.length % dimension !== 0) {
    throw new VectorIndexError('WRONG_DIMENSION', `${vectors.length} values are no rows of dimension ${dimension}.`);
  }
  const position = vectors.findIndex((value) => !Number.isFinite(value));
  if (position >= 0) {
    const place = `row ${Math.floor(position / dimension)}, column ${position % dimension}`;
    throw new VectorIndexError('NOT_FINITE', `Vector value at ${place} is ${vectors[position]}.`);
  }
  if (vectors.length === 0) throw new VectorIndexError('BAD_ARGUMENT', 'Wanted at least one vector, got 0.');
  return vectors.length / dimension;
}

/**
 * Checks a search before it runs and returns the number of queries.
 * @throws VectorIndexError as `VectorIndex.search`.
 */
export function checkSearch(index: { dimension: number; closed: boolean }, queries: Float32Array, k: number): number {
  if (index.closed) throw new VectorIndexError('CLOSED', 'The index is closed.');
  if (!Number.isInteger(k) || k < 1 || k > LARGEST_K) {
    throw new VectorIndexError('BAD_ARGUMENT', `k must be a whole number in [1, ${LARGEST_K}], got ${k}.`);
  }
  return checkVectors(queries, index.dimension);
}
