import type { ItemId } from '@kindred/domain/ids';
import type { Found } from '../batched-search.ts';
import type { LoadedVersion } from '../load-version.ts';

/** Which items of a version a question's filter lets through. */
export interface VersionFilter {
  /** The rows of the version's items that pass, ascending. */
  readonly rows: Int32Array;
  /** Items that pass and that the version does not know. */
  readonly unknownItemIds: readonly ItemId[];
  hasRow(row: number): boolean;
  hasItem(itemId: ItemId): boolean;
}

interface Wanted {
  vector: Float32Array;
  excludeRows: Int32Array;
  k: number;
}

/** Searches reach no deeper (core's index contract). */
const LARGEST_K = 4_096;
/** Room for filters whose items are rarer near a user than elsewhere. */
const SPARE_FACTOR = 1.3;
const SPARE_ROWS = 32;

/**
 * The best rows that pass the filter. Where few items pass, exactly these are compared; where most do, the index is
 * searched for more than is wanted and the others are dropped.
 */
export async function searchFiltered(
  { index, search }: LoadedVersion,
  { vector, excludeRows, k }: Wanted,
  filter: VersionFilter | null,
): Promise<Found> {
  const everything = Math.min(k, index.size);
  if (filter === null) return await search({ vector, excludeRows, k: everything, onlyRows: null });
  if (filter.rows.length === 0) return { rows: new Int32Array(0), scores: new Float32Array(0) };
  if (isBroad(index, filter)) {
    const share = filter.rows.length / index.size;
    const fetched = Math.min(Math.ceil((k / share) * SPARE_FACTOR) + SPARE_ROWS, LARGEST_K, index.size);
    const found = await search({ vector, excludeRows, k: fetched, onlyRows: null });
    const kept = keepPassing(found, filter, k);
    if (kept.rows.length === k || fetched === index.size) return kept;
  }
  return await search({ vector, excludeRows, k: Math.min(k, filter.rows.length), onlyRows: filter.rows });
}

/**
 * Measured by `npm run bench:filter`: over 30,000 items both ways cost the same at a half, over more sooner. No lower,
 * because the deepest search must hold a page that ends at rank 1,000: 1,000 x 3 x 1.3 rows.
 */
const BROAD_SHARE = 1 / 3;

/** By the filter alone, not by the depth: all pages of an answer are found in the same way. */
function isBroad(index: LoadedVersion['index'], { rows }: VersionFilter): boolean {
  return index.kind === 'faiss' && rows.length / index.size >= BROAD_SHARE;
}

function keepPassing({ rows, scores }: Found, filter: VersionFilter, k: number): Found {
  const places: number[] = [];
  for (let place = 0; place < rows.length && places.length < k; place++) {
    if (filter.hasRow(rows[place] ?? -1)) places.push(place);
  }
  return {
    rows: Int32Array.from(places, (place) => rows[place] ?? -1),
    scores: Float32Array.from(places, (place) => scores[place] ?? 0),
  };
}
