import { bootstrapDifference, bootstrapMean, type Interval, type PairedInterval } from '../../src/metrics/bootstrap.ts';
import { type ListQuality, meanOf } from '../../src/metrics/list-quality.ts';
import { meanByUser, type Spread, spreadOf } from '../statistics.ts';
import type { ModelRun } from './measure-model.ts';

/** Models that every other is compared with. */
export const BASELINES = ['popularity', 'spectral'] as const;

/** A mean over users and seeds: `spread` over the seeds, `interval` over the users (each user's mean over the seeds). */
export interface Quality {
  readonly spread: Spread;
  readonly interval: Interval;
}

/** One row: a model over all seeds. */
export interface ModelRow {
  readonly model: string;
  readonly notes: readonly string[];
  readonly userCount: number;
  readonly quality: Readonly<Record<keyof ListQuality, Quality>>;
  /** NDCG less that of each baseline for the same users; null where the baseline was not measured or is this model. */
  readonly ndcgAbove: Readonly<Record<(typeof BASELINES)[number], PairedInterval | null>>;
  readonly foldInNdcg: Spread;
  /** Fold-in NDCG over that of the trained users. */
  readonly foldInShare: number;
  readonly fitSeconds: Spread;
  readonly fitCpuSeconds: Spread;
  readonly fitPeakMB: Spread;
  readonly estimatedMB: number | null;
  readonly scoreSeconds: Spread;
  /** What of each run has no mean here. */
  readonly runs: readonly Pick<ModelRun, 'seed' | 'engine' | 'exposure' | 'activityBuckets'>[];
}

/** Resamples are drawn by this seed in every row, so that rows are alike. */
const BOOTSTRAP = { seed: 1, resamples: 1000, confidence: 0.95 };

/**
 * The rows of one data set from the runs of each model, in the order of `runsByModel`; models without runs are left out.
 * @throws RangeError when runs of one model or of a baseline measured other users.
 */
export function summarizeModels(runsByModel: ReadonlyMap<string, readonly ModelRun[]>): ModelRow[] {
  const ndcgOf = (model: string): Float64Array | null => {
    const runs = runsByModel.get(model) ?? [];
    return runs.length > 0 ? meanByUser(runs.map(({ byUser }) => byUser.ndcg)) : null;
  };
  const baselines = Object.fromEntries(BASELINES.map((name) => [name, ndcgOf(name)]));
  return [...runsByModel].flatMap(([model, runs]) => {
    const ndcg = ndcgOf(model);
    if (!ndcg) return [];
    const above = (baseline: (typeof BASELINES)[number]) => {
      const values = baselines[baseline];
      return values && baseline !== model ? bootstrapDifference(ndcg, values, BOOTSTRAP) : null;
    };
    return [summarize(model, runs, { popularity: above('popularity'), spectral: above('spectral') })];
  });
}

function summarize(model: string, runs: readonly ModelRun[], ndcgAbove: ModelRow['ndcgAbove']): ModelRow {
  const spread = (value: (run: ModelRun) => number) => spreadOf(runs.map(value));
  const qualityOf = (measure: keyof ListQuality): Quality => {
    const values = runs.map(({ byUser }) => byUser[measure]);
    return { spread: spreadOf(values.map(meanOf)), interval: bootstrapMean(meanByUser(values), BOOTSTRAP) };
  };
  const ndcg = qualityOf('ndcg');
  const foldInNdcg = spread((run) => run.foldInNdcg);
  const [first] = runs;
  return {
    model,
    notes: [...new Set(runs.map(({ note }) => note))],
    userCount: first?.byUser.ndcg.length ?? 0,
    quality: {
      recall: qualityOf('recall'),
      ndcg,
      reciprocalRank: qualityOf('reciprocalRank'),
      averagePrecision: qualityOf('averagePrecision'),
      hit: qualityOf('hit'),
    },
    ndcgAbove,
    foldInNdcg,
    foldInShare: ndcg.spread.mean === 0 ? 0 : foldInNdcg.mean / ndcg.spread.mean,
    fitSeconds: spread(({ fitting }) => fitting.seconds),
    fitCpuSeconds: spread(({ fitting }) => fitting.cpuSeconds),
    fitPeakMB: spread(({ fitting }) => fitting.peakMB),
    estimatedMB: first?.estimatedMB ?? null,
    scoreSeconds: spread(({ scoring }) => scoring.seconds),
    runs: runs.map(({ seed, engine, exposure, activityBuckets }) => ({ seed, engine, exposure, activityBuckets })),
  };
}
