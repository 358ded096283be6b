import { findItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import { checkPageSize } from '@kindred/domain/cursor';
import { decodeGlobalId, type ItemId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import { type Answer, toAnswer } from './answer.ts';
import type { RecommendationContext } from './context.ts';
import type { QuerySimilarItemsArgs } from './generated/resolvers.ts';
import type { LoadedVersion } from './load-version.ts';
import { fingerprint } from './position.ts';
import {
  completeRanking,
  countMissing,
  DEEPEST_RANK,
  rankByVector,
  type RankedItem,
  readSpareItems,
  rowsOf,
} from './rank-items.ts';
import { Stopwatch } from './stopwatch.ts';

/**
 * The items whose vectors point most nearly where one item's does: of the 1,000 with the largest inner product those
 * with the largest cosine, so that mere popularity, which is in a vector's length, counts for nothing.
 * @throws AppError BAD_USER_INPUT for a page size that cannot be, NOT_FOUND for an item that the tenant does not have.
 */
export async function listSimilarItems(context: RecommendationContext, args: QuerySimilarItemsArgs): Promise<Answer> {
  const timing = new Stopwatch();
  const first = checkPageSize(args.first);
  const itemId = decodeGlobalId('Item', args.itemId);
  const tenantId = requireTenant(context.viewer);
  using place = context.admission.enter(tenantId, context.deadlineAt);
  timing.finish('admission');
  using lease = await context.serving.lease(tenantId);
  const version = lease.current;
  timing.finish('version');
  const masked = new Set([itemId]);
  const popular = version === null ? await lease.popular.list() : [];
  const spare = await withTenant(context.db, tenantId, async (tx) => {
    const [item] = await findItems(tx, [itemId]);
    if (item === undefined) throw new AppError('NOT_FOUND', `There is no item ${args.itemId}.`);
    const missingCount = version ? countMissing(version, { masked, depth: first }) : 0;
    return version && missingCount > 0 ? await readSpareItems(tx, version, { masked, missingCount }) : [];
  });
  place.checkDeadline();
  const vector = version && directionOf(version, itemId);
  timing.finish('user');
  const wanted = { filter: null, depth: DEEPEST_RANK };
  const search = version && vector && { vector, excludeRows: rowsOf(version, masked), ...wanted };
  const best = search ? rankByCosine(version, await rankByVector(version, search)) : [];
  timing.finish('search');
  const ranked = version
    ? completeRanking(version, { best, masked, spare, ...wanted })
    : popular.filter((item) => item.itemId !== itemId);
  const answer = toAnswer({
    version,
    side: null,
    taste: vector && { vector, itemRows: [] },
    // The field has no further pages.
    ranked: ranked.slice(0, first),
    page: { first, after: null, fingerprint: fingerprint(itemId) },
    explain: false,
    knownUntil: new Date(0),
    timing,
  });
  context.figures.countAnswer(answer.status);
  return answer;
}

/** The item's vector at length 1; null when the version learned nothing of the item. */
function directionOf({ artefact, itemRows }: LoadedVersion, itemId: ItemId): Float32Array | null {
  const row = itemRows.get(itemId);
  if (row === undefined || artefact.itemDegrees[row] === 0) return null;
  const length = lengthOf(artefact, row);
  return length === 0 ? null : vectorOf(artefact, row).map((value) => value / length);
}

/** Items ranked by their inner product with a vector of length 1, by the cosine instead. */
function rankByCosine({ artefact }: LoadedVersion, ranked: readonly RankedItem[]): RankedItem[] {
  return ranked
    .map((item) => {
      const length = item.itemRow === null ? 0 : lengthOf(artefact, item.itemRow);
      return { ...item, score: length === 0 ? 0 : item.score / length };
    })
    .toSorted((left, right) => right.score - left.score);
}

type Vectors = Pick<LoadedVersion['artefact'], 'items' | 'dimension'>;

function vectorOf({ items, dimension }: Vectors, row: number): Float32Array {
  return items.subarray(row * dimension, (row + 1) * dimension);
}

function lengthOf(vectors: Vectors, row: number): number {
  return Math.sqrt(vectorOf(vectors, row).reduce((sum, value) => sum + value * value, 0));
}
