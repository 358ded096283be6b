import { withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import type { TenantId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import { toAnswer, type Answer } from './answer.ts';
import type { RecommendationContext } from './context.ts';
import type { VersionFilter } from './filter/version-filter.ts';
import type { QueryRecommendArgs } from './generated/resolvers.ts';
import type { Lease } from './held-version.ts';
import type { History } from './history.ts';
import type { LoadedVersion } from './load-version.ts';
import type { Position } from './position.ts';
import {
  completeRanking,
  countMissing,
  DEEPEST_RANK,
  depthFor,
  rankByVector,
  type RankedItem,
  readSpareItems,
  rowsOf,
} from './rank-items.ts';
import { type Question, readQuestion } from './read-question.ts';
import type { ResultKey } from './result-cache.ts';
import { Stopwatch } from './stopwatch.ts';
import { type Taste, tasteOf } from './taste.ts';
import { answersOf, countAnswer, countErrors, type Side, sideOf } from './trial.ts';

/** What is known when the ranking begins. */
interface Asked {
  tenantId: TenantId;
  question: Question;
  history: History;
  lease: Lease;
  timing: Stopwatch;
  checkDeadline: () => void;
}

interface Ranking {
  ranked: readonly RankedItem[];
  taste: Taste | null;
}

/**
 * The best items for a user or a session, in named, visible steps down: the version's own ranking, its most popular
 * items, the tenant's most popular items.
 * @throws AppError BAD_USER_INPUT for a question outside the limits, and for a cursor of another one; RATE_LIMITED and
 * TIMEOUT as `Admission.enter`.
 */
export async function recommend(context: RecommendationContext, args: QueryRecommendArgs): Promise<Answer> {
  const timing = new Stopwatch();
  const question = readQuestion(args);
  const tenantId = requireTenant(context.viewer);
  using place = context.admission.enter(tenantId, context.deadlineAt);
  timing.finish('admission');
  using lease = await context.serving.lease(tenantId);
  const side = sideOf(tenantId, lease, question);
  const version = chooseVersion(lease, question.after, side);
  timing.finish('version');
  const history = await context.historyReader.read(tenantId, question);
  timing.finish('user');
  place.checkDeadline();
  const asked = { tenantId, question, history, lease, timing, checkDeadline: () => place.checkDeadline() };
  const { ranked, taste } = version
    ? await countErrors(context, { tenantId, side }, () => rankOnce(context, asked, version))
    : await rankWithout(asked);
  const answer = toAnswer({
    version,
    side: answersOf(side, version),
    taste,
    ranked,
    page: question,
    explain: question.explain,
    knownUntil: question.after?.knownUntil ?? history.newestRecordedAt,
    timing,
  });
  context.figures.countAnswer(answer.status);
  countAnswer(context, { tenantId, side }, version);
  return answer;
}

/** The version of the page before while it is in memory, so that a promotion in between neither repeats nor loses items. */
function chooseVersion(
  { current, previous, trial }: Lease,
  after: Position | null,
  side: Side | null,
): LoadedVersion | null {
  if (after === null) return side?.arm === 'CANARY' ? (side.trial.version ?? current) : current;
  if (after.versionId === null) return null;
  const version = [current, previous, trial?.version].find((candidate) => candidate?.id === after.versionId);
  if (version) return version;
  const message = 'The version that made the page before no longer answers: ask for the first page again.';
  throw new AppError('BAD_USER_INPUT', message);
}

/** A ranking that was made of the same user, question and version, or a new one. */
async function rankOnce(context: RecommendationContext, asked: Asked, version: LoadedVersion): Promise<Ranking> {
  const { question, lease, timing } = asked;
  // First: it may find that the catalogue has changed.
  const filter = question.where && (await lease.catalogue.filter(question.where, version));
  timing.finish('filter');
  const key = resultKey(asked, version);
  const cached = key && context.results.get(key);
  if (cached) {
    timing.markCached();
    return cached;
  }
  const ranking = await rank(context, asked, { version, filter });
  // Items that the version does not know are the database's, which says nothing when they change.
  const isWhole = ranking.ranked.every(({ itemId, itemRow }) => itemRow !== null || version.itemRows.has(itemId));
  if (key && isWhole && ranking.ranked.length >= neededOf(question)) {
    context.results.set(key, { tenantId: asked.tenantId, ...ranking });
  }
  return ranking;
}

/** Null for what nobody says the end of: a session, and later pages. */
function resultKey({ tenantId, question, history, lease }: Asked, version: LoadedVersion): ResultKey | null {
  const state = question.after === null ? history.state : null;
  if (state === null) return null;
  const catalogueRevision = question.where === null ? 0 : lease.catalogue.revision;
  const { id: versionId } = version;
  const { fingerprint } = question;
  return {
    tenantId,
    versionId,
    state,
    catalogueRevision,
    question: fingerprint,
    depth: depthOf(question),
  };
}

async function rank(
  context: RecommendationContext,
  asked: Asked,
  { version, filter }: { version: LoadedVersion; filter: VersionFilter | null },
): Promise<Ranking> {
  const { question, history, timing } = asked;
  const depth = depthOf(question);
  asked.checkDeadline();
  const { masked } = history;
  const taste = tasteOf(version, history, question);
  const excludeRows = rowsOf(version, masked);
  timing.finish('user');
  const best = taste ? await rankByVector(version, { vector: taste.vector, excludeRows, filter, depth }) : [];
  timing.finish('search');
  const spare = best.length >= neededOf(question) ? [] : await spareItems(context, asked, { version, filter });
  return { ranked: completeRanking(version, { best, masked, spare, filter, depth }), taste };
}

/** Items that the version does not know, for small catalogues and narrow filters. */
async function spareItems(
  { db }: RecommendationContext,
  { tenantId, question, history: { masked } }: Asked,
  { version, filter }: { version: LoadedVersion; filter: VersionFilter | null },
): Promise<readonly RankedItem[]> {
  if (filter !== null) return filter.unknownItemIds.filter((itemId) => !masked.has(itemId)).map(unranked);
  const missingCount = countMissing(version, { masked, depth: neededOf(question) });
  if (missingCount === 0) return [];
  return await withTenant(db, tenantId, (tx) => readSpareItems(tx, version, { masked, missingCount }));
}

function unranked(itemId: RankedItem['itemId']): RankedItem {
  return { itemId, score: 0, itemRow: null };
}

async function rankWithout({ question, history: { masked }, lease, timing }: Asked): Promise<Ranking> {
  const filter = question.where && (await lease.catalogue.filter(question.where, null));
  timing.finish('filter');
  const popular = await lease.popular.list();
  const ranked = popular.filter(({ itemId }) => !masked.has(itemId) && filter?.hasItem(itemId) !== false);
  return { ranked, taste: null };
}

/** One more than the page ends with, which tells whether there is a next one. */
function neededOf({ first, after }: Question): number {
  return Math.min(DEEPEST_RANK, (after?.rank ?? 0) + first + 1);
}

function depthOf(question: Question): number {
  return depthFor(neededOf(question));
}
