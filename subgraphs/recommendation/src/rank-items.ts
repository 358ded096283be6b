import { listPopularItems } from '@kindred/db/items';
import type { TenantTx } from '@kindred/db/tenants';
import type { ItemId } from '@kindred/domain/ids';
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

/**
 * The items best first by inner product with `vector`, equal ones by row, at most 1,000. Always searched to the same
 * depth, so that every page of an answer is a part of the same list; over 100,000 vectors that costs 0.4 ms more than
 * a search for one page.
 */
export async function rankByVector(
  { index, itemIds, itemRows }: LoadedVersion,
  vector: Float32Array,
  masked: ReadonlySet<ItemId>,
): Promise<RankedItem[]> {
  const excludeRows = Int32Array.from([...masked].flatMap((itemId) => itemRows.get(itemId) ?? []));
  const { rows, scores } = await index.search(vector, Math.min(DEEPEST_RANK, index.size), { excludeRows });
  const ranked: (RankedItem & { itemRow: number })[] = [];
  for (const [rank, itemRow] of rows.entries()) {
    const itemId = itemIds[itemRow];
    if (itemId !== undefined) ranked.push({ itemId, score: scores[rank] ?? 0, itemRow });
  }
  return ranked.toSorted((left, right) => right.score - left.score || left.itemRow - right.itemRow);
}

/**
 * The whole answer: `best`, then the version's most popular of the other items, then `spare`, the items that the version
 * does not know; without masked ones, at most 1,000.
 */
export function completeRanking(
  { artefact, itemIds, popularRows }: LoadedVersion,
  { best, masked, spare }: { best: readonly RankedItem[]; masked: ReadonlySet<ItemId>; spare: readonly RankedItem[] },
): RankedItem[] {
  const ranked = [...best];
  const taken = new Set(best.map((item) => item.itemId));
  for (const row of popularRows) {
    if (ranked.length >= DEEPEST_RANK) break;
    const itemId = itemIds[row];
    if (itemId === undefined || taken.has(itemId) || masked.has(itemId)) continue;
    ranked.push({ itemId, score: artefact.popularity[row] ?? 0, itemRow: null });
  }
  return [...ranked, ...spare].slice(0, DEEPEST_RANK);
}

/** The tenant's most popular items that the version does not know, as many as it lacks for `depth` items. */
export async function readSpareItems(
  tx: TenantTx,
  version: LoadedVersion,
  { masked, depth }: { masked: ReadonlySet<ItemId>; depth: number },
): Promise<RankedItem[]> {
  const { itemIds, itemRows } = version;
  const maskedCount = [...masked].filter((itemId) => itemRows.has(itemId)).length;
  const missingCount = depth - (itemIds.length - maskedCount);
  if (missingCount <= 0) return [];
  // Few: a version with many items lacks none.
  const excludeIds = [...new Set([...masked, ...itemIds])];
  const items = await listPopularItems(tx, { first: missingCount, offset: 0, excludeIds });
  return items.map(({ itemId, interactionCount }) => ({ itemId, score: interactionCount, itemRow: null }));
}
