import type { InteractionMatrix } from './interaction-matrix.ts';
import { prepareEvaluation } from './metrics/evaluation-case.ts';
import { measureExposure } from './metrics/exposure.ts';
import { measureLists, meanOf } from './metrics/list-quality.ts';
import { rankUsers, type RankingOptions } from './metrics/rank-users.ts';
import type { Ranker } from './metrics/ranker.ts';

export interface EvaluationOptions extends RankingOptions {
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
  /** What ranked: see `TopLists.engine`. */
  readonly engine: string;
}

/**
 * Ranks all items for every user with held-out items, leaving out the user's train (and masked) items, and compares
 * with the held-out ones; definitions in metrics/list-quality.ts. Equal scores rank by row. Blocks its thread; for many
 * models or epochs on one split prepare the case once (metrics/evaluation-case.ts).
 * @throws ScoreNotFiniteError; RangeError when the ranker's arrays do not fit the matrix.
 */
export function evaluateRankingAt(
  ranker: Ranker,
  train: InteractionMatrix,
  heldOut: InteractionMatrix,
  options: EvaluationOptions,
): RankingReport {
  const data = prepareEvaluation(train, heldOut, options.masked);
  const lists = rankUsers(ranker, data, options);
  const { ndcg, recall, hit } = measureLists(lists, data);
  return {
    cutoff: options.cutoff,
    userCount: data.userRows.length,
    ndcg: meanOf(ndcg),
    recall: meanOf(recall),
    hitRate: meanOf(hit),
    coverage: measureExposure(lists, data).coverage,
    engine: lists.engine,
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
  options: Omit<EvaluationOptions, 'cutoff'> = {},
): RankingMetrics {
  const report = evaluateRankingAt(ranker, train, heldOut, { ...options, cutoff: 10 });
  const { ndcg, recall, hitRate, coverage } = report;
  return { ndcgAt10: ndcg, recallAt10: recall, hitRateAt10: hitRate, coverageAt10: coverage };
}
