import { type ActivityBucket, measureByActivity } from './metrics/activity-buckets.ts';
import { bootstrapMean, type BootstrapOptions, type Interval } from './metrics/bootstrap.ts';
import type { EvaluationCase } from './metrics/evaluation-case.ts';
import { type Exposure, measureExposure } from './metrics/exposure.ts';
import { type ListQuality, measureLists } from './metrics/list-quality.ts';
import { type AsyncRankingOptions, rankUsersAsync, type TopLists } from './metrics/rank-users.ts';
import type { Ranker, ScoringRanker } from './metrics/ranker.ts';

export interface DetailOptions extends AsyncRankingOptions {
  readonly bootstrap: BootstrapOptions;
  /** See `measureByActivity`. */
  readonly activityBounds?: readonly number[] | undefined;
}

/** All that full ranking at one cut-off tells of a model; definitions in metrics/. */
export interface DetailedReport {
  readonly cutoff: number;
  readonly userCount: number;
  /** Means over the users with intervals over users. */
  readonly recall: Interval;
  readonly ndcg: Interval;
  readonly mrr: Interval;
  readonly map: Interval;
  readonly hitRate: Interval;
  readonly exposure: Exposure;
  readonly activityBuckets: readonly ActivityBucket[];
  readonly engine: string;
  /** The values of each user, for `bootstrapDifference` with those of another model on the same case. */
  readonly byUser: ListQuality;
}

/**
 * Ranks all items for every user of the case and measures the lists. The same case, ranker and bootstrap seed give the
 * same report on every machine.
 * @throws what `rankUsersAsync` throws; RangeError for bootstrap options outside their range.
 */
export async function evaluateInDetail(
  ranker: Ranker | ScoringRanker,
  data: EvaluationCase,
  options: DetailOptions,
): Promise<DetailedReport> {
  return reportOn(await rankUsersAsync(ranker, data, options), data, options);
}

/** The report on lists that are there already. @throws RangeError for bootstrap options outside their range. */
function reportOn(
  lists: TopLists,
  data: EvaluationCase,
  { bootstrap, activityBounds }: Pick<DetailOptions, 'bootstrap' | 'activityBounds'>,
): DetailedReport {
  const byUser = measureLists(lists, data);
  return {
    cutoff: lists.cutoff,
    userCount: lists.userRows.length,
    recall: bootstrapMean(byUser.recall, bootstrap),
    ndcg: bootstrapMean(byUser.ndcg, bootstrap),
    mrr: bootstrapMean(byUser.reciprocalRank, bootstrap),
    map: bootstrapMean(byUser.averagePrecision, bootstrap),
    hitRate: bootstrapMean(byUser.hit, bootstrap),
    exposure: measureExposure(lists, data),
    activityBuckets: measureByActivity(byUser, data, activityBounds),
    engine: lists.engine,
    byUser,
  };
}
