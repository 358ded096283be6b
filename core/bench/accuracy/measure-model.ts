// In a child process: fits one model with one seed and measures what it ranks.
import { type ActivityBucket, measureByActivity } from '../../src/metrics/activity-buckets.ts';
import { prepareEvaluation } from '../../src/metrics/evaluation-case.ts';
import { type Exposure, measureExposure } from '../../src/metrics/exposure.ts';
import { type ListQuality, measureLists } from '../../src/metrics/list-quality.ts';
import { rankUsersAsync } from '../../src/metrics/rank-users.ts';
import { measureRanking } from '../../src/models/measure-ranking.ts';
import type { DataSet } from '../data/data-set.ts';
import { readAsChild } from '../data/data-sets.ts';
import { answerParent } from '../in-child.ts';
import { measureUse, type Use } from '../measure-use.ts';
import { type FitSettings, fitModel } from './models.ts';

export interface ModelTask extends FitSettings {
  readonly model: string;
  /** Of `writeForChildren`. */
  readonly dataPath: string;
}

/** One model fitted once. */
export interface ModelRun {
  readonly seed: number;
  readonly note: string;
  readonly fitting: Use;
  /** The model's own estimate of its typed arrays, 10^6 bytes; null where it has none. */
  readonly estimatedMB: number | null;
  readonly scoring: Use;
  readonly engine: string;
  /** Each measure of each user with held-out items, in row order. */
  readonly byUser: ListQuality;
  readonly exposure: Exposure;
  readonly activityBuckets: readonly ActivityBucket[];
  /** The same users scored from their histories alone; of a model without vectors that is how it scores anyway. */
  readonly foldInNdcg: number;
}

await answerParent((task) => measureModel(task as ModelTask));

async function measureModel({ model, dataPath, ...settings }: ModelTask): Promise<ModelRun | null> {
  const data = readAsChild(dataPath) as DataSet;
  const { cutoff, train, test } = data;
  const { result: fitted, ...fitting } = await measureUse(() => fitModel(model, data, settings));
  if (!fitted) return null;
  const { recommender, note, estimatedBytes } = fitted;
  const { vectors } = recommender;
  const ranker = vectors
    ? { userVectors: vectors.users, itemVectors: vectors.items, dimension: vectors.dimension }
    : recommender;
  const evaluation = prepareEvaluation(train, test);
  const { result: lists, ...scoring } = await measureUse(() => rankUsersAsync(ranker, evaluation, { cutoff }));
  const byUser = measureLists(lists, evaluation);
  const folded = await measureRanking(recommender, train, test, { cutoff, foldIn: true });
  return {
    seed: settings.seed,
    note,
    fitting,
    estimatedMB: estimatedBytes === null ? null : estimatedBytes / 1e6,
    scoring,
    engine: lists.engine,
    byUser,
    exposure: measureExposure(lists, evaluation),
    activityBuckets: measureByActivity(byUser, evaluation),
    foldInNdcg: folded.ndcg,
  };
}
