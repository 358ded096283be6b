import { withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import { requireTenant } from '@kindred/service/guards';
import { toAnswer, type Answer } from './answer.ts';
import type { RecommendationContext } from './context.ts';
import type { QueryRecommendArgs } from './generated/resolvers.ts';
import type { Lease } from './held-version.ts';
import type { LoadedVersion } from './load-version.ts';
import type { Position } from './position.ts';
import { completeRanking, DEEPEST_RANK, rankByVector, readSpareItems } from './rank-items.ts';
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
  const popular = version === null ? await lease.popular.list() : [];
  const { history, spare } = await withTenant(context.db, tenantId, async (tx) => {
    const known = await readHistory(tx, question);
    const wanted = { masked: known.masked, depth: depthOf(question) };
    return { history: known, spare: version ? await readSpareItems(tx, version, wanted) : [] };
  });
  const { masked } = history;
  const taste = version && tasteOf(version, history, question);
  const searchedAt = performance.now();
  const ranked = version
    ? completeRanking(version, { best: taste ? await rankByVector(version, taste.vector, masked) : [], masked, spare })
    : popular.filter(({ itemId }) => !masked.has(itemId));
  const answer = toAnswer({
    version,
    taste,
    ranked,
    page: question,
    explain: question.explain,
    knownUntil: question.after?.knownUntil ?? history.newestRecordedAt,
    clock: { startedAt, searchedAt, rankedAt: performance.now() },
  });
  context.figures.countAnswer(answer.status);
  return answer;
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
