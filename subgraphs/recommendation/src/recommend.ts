import { withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import { requireTenant } from '@kindred/service/guards';
import { toAnswer, type Answer } from './answer.ts';
import type { RecommendationContext } from './context.ts';
import type { QueryRecommendArgs } from './generated/resolvers.ts';
import type { Lease } from './held-version.ts';
import type { LoadedVersion } from './load-version.ts';
import type { Position } from './position.ts';
import { DEEPEST_RANK, fillByPopularity, rankByVector, readSpareItems } from './rank-items.ts';
import { readHistory } from './read-history.ts';
import { type Question, readQuestion } from './read-question.ts';
import { tasteOf } from './taste.ts';

/**
 * The best items for a user or a session, in named, visible steps down: the version's own ranking, its most popular
 * items, the tenant's most popular items.
 * @throws AppError BAD_USER_INPUT for a question outside the limits, and for a cursor of another one.
 */
export async function recommend(context: RecommendationContext, args: QueryRecommendArgs): Promise<Answer> {
  const startedAt = performance.now();
  const question = readQuestion(args);
  const tenantId = requireTenant(context.viewer);
  using lease = await context.serving.lease(tenantId);
  const version = chooseVersion(lease, question.after);
  const known = await withTenant(context.db, tenantId, async (tx) => {
    const history = await readHistory(tx, question);
    const masked = new Set([...history.itemIds, ...history.excludedIds]);
    return { history, masked, spare: await readSpareItems(tx, version, { masked, depth: depthOf(question) }) };
  });
  const taste = version && tasteOf(version, known.history, question);
  const searchedAt = performance.now();
  const best = version && taste ? await rankByVector(version, taste.vector, known.masked) : [];
  const ranked = version ? fillByPopularity(version, best, known.masked) : [];
  const rankedAt = performance.now();
  return toAnswer({
    version,
    taste,
    ranked: [...ranked, ...known.spare],
    page: question,
    explain: question.explain,
    knownUntil: question.after?.knownUntil ?? known.history.newestRecordedAt,
    clock: { startedAt, searchedAt, rankedAt },
  });
}

/** The version of the page before while it is in memory, so that a promotion in between neither repeats nor loses items. */
function chooseVersion({ current, previous }: Lease, after: Position | null): LoadedVersion | null {
  if (after === null) return current;
  if (after.versionId === null) return null;
  const version = [current, previous].find((candidate) => candidate?.id === after.versionId);
  if (version) return version;
  const message = 'The version that made the page before no longer answers: ask for the first page again.';
  throw new AppError('BAD_USER_INPUT', message);
}

/** One more than the page ends with, which tells whether there is a next one. */
function depthOf({ first, after }: Question): number {
  return Math.min(DEEPEST_RANK, (after?.rank ?? 0) + first + 1);
}
