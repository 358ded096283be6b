import { listPopularItems } from '@kindred/db/items';
import type { TenantTx } from '@kindred/db/tenants';
import type { ItemId } from '@kindred/domain/ids';
import { searchFiltered, type VersionFilter } from './filter/version-filter.ts';
import type { LoadedVersion } from './load-version.ts';

/** An item of an answer. */
export interface RankedItem {
  itemId: ItemId;
  /** An inner product, or a number of interactions where popularity ranks. */
  score: number;
  /** Its row in the version where its vector ranks it; null where popularity does. */
  itemRow: number | null;
}

/** No answer goes deeper: its last page ends here. */
export const DEEPEST_RANK = 1_000;

/** The depths to which rankings go: a first page costs no more than it shows. */
const DEPTHS = [32, 128, DEEPEST_RANK];

/** The next of few depths, so that rankings of the same question are shared by pages of about the same size. */
export function depthFor(itemCount: number): number {
  return DEPTHS.find((depth) => depth >= itemCount) ?? DEEPEST_RANK;
}

/**
 * The items best first by inner product with `vector`, equal ones by row: the first `depth` of the one list that every
 * page of an answer is a part of.
 */
export async function rankByVector(
  version: LoadedVersion,
  {
    vector,
    excludeRows,
    filter,
    depth,
  }: { vector: Float32Array; excludeRows: Int32Array; filter: VersionFilter | null; depth: number },
): Promise<RankedItem[]> {
  const { itemIds } = version;
  const { rows, scores } = await searchFiltered(version, { vector, excludeRows, k: depth }, filter);
  const ranked: (RankedItem & { itemRow: number })[] = [];
  for (let rank = 0; rank < rows.length; rank++) {
    const itemRow = rows[rank] ?? -1;
    const itemId = itemIds[itemRow];
    if (itemId !== undefined) ranked.push({ itemId, score: scores[rank] ?? 0, itemRow });
  }
  return ranked.toSorted((left, right) => right.score - left.score || left.itemRow - right.itemRow);
}

/** Of histories in memory, in the version that was last asked for: each item is a look-up among all of the version's. */
const rowsByMask = new WeakMap<ReadonlySet<ItemId>, { versionId: string; rows: Int32Array }>();

/** The rows of masked items, which a search leaves out; not to be changed. */
export function rowsOf({ id: versionId, itemRows }: LoadedVersion, masked: ReadonlySet<ItemId>): Int32Array {
  const known = rowsByMask.get(masked);
  if (known?.versionId === versionId) return known.rows;
  const rows = Int32Array.from(Array.from(masked, (itemId) => itemRows.get(itemId)).filter((row) => row !== undefined));
  rowsByMask.set(masked, { versionId, rows });
  return rows;
}

/**
 * The first `depth` of the whole answer: `best`, then the version's most popular of the other items, then `spare`, the
 * items that the version does not know; without masked ones and those that a filter leaves out.
 */
export function completeRanking(
  { artefact, itemIds, popularRows }: LoadedVersion,
  { best, masked, spare, filter, depth }: Completion,
): readonly RankedItem[] {
  if (best.length >= depth) return best;
  const ranked = [...best];
  const taken = new Set(best.map((item) => item.itemId));
  for (const row of popularRows) {
    if (ranked.length >= depth) return ranked;
    const itemId = itemIds[row];
    if (itemId === undefined || taken.has(itemId) || masked.has(itemId) || filter?.hasRow(row) === false) continue;
    ranked.push({ itemId, score: artefact.popularity[row] ?? 0, itemRow: null });
  }
  return [...ranked, ...spare].slice(0, depth);
}

interface Completion {
  best: readonly RankedItem[];
  masked: ReadonlySet<ItemId>;
  spare: readonly RankedItem[];
  filter: VersionFilter | null;
  depth: number;
}

/** How many items the version lacks for `depth` items; 0 for all but small catalogues. */
export function countMissing(
  { itemIds, itemRows }: LoadedVersion,
  { masked, depth }: { masked: ReadonlySet<ItemId>; depth: number },
): number {
  if (itemIds.length - masked.size >= depth) return 0;
  const maskedCount = [...masked].filter((itemId) => itemRows.has(itemId)).length;
  return Math.max(0, depth - (itemIds.length - maskedCount));
}

/** The tenant's `missingCount` most popular items that the version does not know. */
export async function readSpareItems(
  tx: TenantTx,
  { itemIds }: LoadedVersion,
  { masked, missingCount }: { masked: ReadonlySet<ItemId>; missingCount: number },
): Promise<RankedItem[]> {
  // Few: a version with many items lacks none.
  const excludeIds = [...new Set([...masked, ...itemIds])];
  const items = await listPopularItems(tx, { first: missingCount, offset: 0, excludeIds });
  return items.map(({ itemId, interactionCount }) => ({ itemId, score: interactionCount, itemRow: null }));
}
