import type { VectorIndex } from '@kindred/core/vector-index';
import { Batcher } from '@kindred/service/batcher';

/** One search for the rows nearest to a vector. */
export interface Search {
  vector: Float32Array;
  k: number;
  excludeRows: Int32Array;
  /** The only rows to search; null for all. Searches with the same array share a call. */
  onlyRows: Int32Array | null;
}

/** Rows and their inner products, best first; fewer than `k` where no more are left. */
export interface Found {
  rows: Int32Array;
  scores: Float32Array;
}

/** Searches an index; those that come while others run share one native call. */
export type BatchedSearch = (search: Search) => Promise<Found>;

/** One call holds this many searches at most; 1 makes every search a call of its own. */
export function createBatchedSearch(index: VectorIndex, { mostAtOnce }: { mostAtOnce: number }): BatchedSearch {
  const batcher = new Batcher<Search, Found>((searches) => searchAll(index, searches), { mostAtOnce });
  return (search) => batcher.ask(search);
}

async function searchAll(index: VectorIndex, searches: readonly Search[]): Promise<Found[]> {
  const found: Found[] = [];
  const places = Map.groupBy(searches.keys(), (place) => searches[place]?.onlyRows ?? null);
  await Promise.all(
    [...places].map(async ([onlyRows, own]) => {
      const group = own.flatMap((place) => searches[place] ?? []);
      const answers = await searchTogether(index, group, onlyRows);
      for (const [position, place] of own.entries()) found[place] = answers[position] ?? NOTHING;
    }),
  );
  return found;
}

const NOTHING: Found = { rows: new Int32Array(0), scores: new Float32Array(0) };

async function searchTogether(
  index: VectorIndex,
  group: readonly Search[],
  onlyRows: Int32Array | null,
): Promise<Found[]> {
  const { dimension } = index;
  const k = Math.max(...group.map((search) => search.k));
  const queries = new Float32Array(group.length * dimension);
  const offsets = new Int32Array(group.length + 1);
  for (const [position, { vector, excludeRows }] of group.entries()) {
    queries.set(vector, position * dimension);
    offsets[position + 1] = (offsets[position] ?? 0) + excludeRows.length;
  }
  const rows = new Int32Array(offsets[group.length] ?? 0);
  for (const [position, { excludeRows }] of group.entries()) rows.set(excludeRows, offsets[position]);
  const result = await index.search(queries, k, { excludeRowsOf: { offsets, rows }, ...(onlyRows && { onlyRows }) });
  return group.map((search, position) => {
    const own = result.rows.subarray(position * k, position * k + search.k);
    const end = own.indexOf(-1);
    const count = end === -1 ? own.length : end;
    return { rows: own.subarray(0, count), scores: result.scores.subarray(position * k, position * k + count) };
  });
}
