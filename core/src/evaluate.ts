import { type InteractionMatrix, type ItemLists, listItemsByUser } from './interaction-matrix.ts';
import { scoreItems, topRows } from './scoring.ts';

/** What ranks the items: inner products of vectors, or one score per item for everybody. */
export type Ranker =
  | { readonly userVectors: Float32Array; readonly itemVectors: Float32Array; readonly dimension: number }
  | { readonly scores: Float64Array };

export interface EvaluationOptions {
  /** Length k of the ranked list. */
  readonly cutoff: number;
  /** Further interactions, besides train, that are never recommended: the validation ones when testing. */
  readonly masked?: InteractionMatrix | undefined;
}

/** Means over the evaluated users, each in [0, 1]; all 0 when no user could be evaluated. */
export interface RankingReport {
  readonly cutoff: number;
  /** Users with at least one held-out item. */
  readonly userCount: number;
  readonly ndcg: number;
  /** Hits among the first k over all held-out items of the user. */
  readonly recall: number;
  /** Share of users with at least one hit. */
  readonly hitRate: number;
  /** Share of all items that stand in at least one list. */
  readonly coverage: number;
}

/** A vector or score is NaN or infinite, so that no ranking exists. */
export class ScoreNotFiniteError extends Error {
  constructor(name: string, position: number) {
    super(`${name}[${position}] is not a finite number.`);
    this.name = 'ScoreNotFiniteError';
  }
}

/**
 * Ranks all items for every user with held-out items, leaving out the user's train (and masked) items, and compares
 * with the held-out ones. NDCG has binary gains and the ideal list of min(k, held-out) hits. Equal scores rank by row.
 * @throws ScoreNotFiniteError; RangeError when the ranker's arrays do not fit the matrix.
 */
export function evaluateRankingAt(
  ranker: Ranker,
  train: InteractionMatrix,
  heldOut: InteractionMatrix,
  options: EvaluationOptions,
): RankingReport {
  const { cutoff } = options;
  const known = options.masked ? listItemsByUser(train, options.masked) : listItemsByUser(train);
  const wanted = listItemsByUser(heldOut);
  const scoreUser = createUserScorer(ranker, train);
  const scores = new Float64Array(train.itemCount);
  const listed = new Uint8Array(train.itemCount);
  const sums = { userCount: 0, ndcg: 0, recall: 0, hitRate: 0 };
  for (let user = 0; user < train.userCount; user++) {
    const targets = itemsOf(wanted, user);
    if (targets.length === 0) continue;
    scoreUser(user, scores);
    for (const item of itemsOf(known, user)) scores[item] = Number.NEGATIVE_INFINITY;
    const rows = topRows(scores, cutoff);
    for (const row of rows) listed[row] = 1;
    addUser(sums, rows, { targets: new Set(targets), cutoff });
  }
  const divisor = Math.max(1, sums.userCount);
  return {
    cutoff,
    userCount: sums.userCount,
    ndcg: sums.ndcg / divisor,
    recall: sums.recall / divisor,
    hitRate: sums.hitRate / divisor,
    coverage: listed.reduce((sum, flag) => sum + flag, 0) / Math.max(1, train.itemCount),
  };
}

/** `RankingReport` at cut-off 10 in the shape of the domain type of the same name. */
export interface RankingMetrics {
  ndcgAt10: number;
  recallAt10: number;
  hitRateAt10: number;
  coverageAt10: number;
}

/** `evaluateRankingAt` cut-off 10. @throws what it throws. */
export function evaluateRanking(
  ranker: Ranker,
  train: InteractionMatrix,
  heldOut: InteractionMatrix,
  options: Pick<EvaluationOptions, 'masked'> = {},
): RankingMetrics {
  const report = evaluateRankingAt(ranker, train, heldOut, { ...options, cutoff: 10 });
  const { ndcg, recall, hitRate, coverage } = report;
  return { ndcgAt10: ndcg, recallAt10: recall, hitRateAt10: hitRate, coverageAt10: coverage };
}

function createUserScorer(ranker: Ranker, train: InteractionMatrix): (user: number, scores: Float64Array) => void {
  if ('scores' in ranker) {
    checkValues('scores', ranker.scores, train.itemCount);
    return (_user, scores) => scores.set(ranker.scores);
  }
  const { userVectors, itemVectors, dimension } = ranker;
  checkValues('userVectors', userVectors, train.userCount * dimension);
  checkValues('itemVectors', itemVectors, train.itemCount * dimension);
  const query = new Float64Array(dimension);
  return (user, scores) => {
    query.set(userVectors.subarray(user * dimension, (user + 1) * dimension));
    scoreItems(itemVectors, query, scores);
  };
}

function checkValues(name: string, values: Float32Array | Float64Array, wanted: number): void {
  if (values.length !== wanted) throw new RangeError(`${name} has ${values.length} values, wanted ${wanted}.`);
  const position = values.findIndex((value) => !Number.isFinite(value));
  if (position >= 0) throw new ScoreNotFiniteError(name, position);
}

function itemsOf(lists: ItemLists, user: number): Int32Array {
  return lists.items.subarray(lists.offsets[user], lists.offsets[user + 1]);
}

function addUser(
  sums: { userCount: number; ndcg: number; recall: number; hitRate: number },
  rows: Int32Array,
  { targets, cutoff }: { targets: Set<number>; cutoff: number },
): void {
  let hits = 0;
  let gain = 0;
  rows.forEach((row, rank) => {
    if (!targets.has(row)) return;
    hits += 1;
    gain += 1 / Math.log2(rank + 2);
  });
  let ideal = 0;
  for (let rank = 0; rank < Math.min(cutoff, targets.size); rank++) ideal += 1 / Math.log2(rank + 2);
  sums.userCount += 1;
  sums.ndcg += gain / ideal;
  sums.recall += hits / targets.size;
  sums.hitRate += hits > 0 ? 1 : 0;
}
