import type { DataSize, FitOptions, Recommender, RecommenderFactory } from '../../src/recommender.ts';
import { bpr } from '../../src/models/bpr.ts';
import { chooseModel } from '../../src/models/choose-model.ts';
import { createContentFactory } from '../../src/models/content-tower.ts';
import { ease } from '../../src/models/ease.ts';
import { chebyshevConfig, graphFilter } from '../../src/models/graph-filter.ts';
import { ials } from '../../src/models/ials.ts';
import { itemKnn } from '../../src/models/item-knn.ts';
import { lightGcn } from '../../src/models/lightgcn-recommender.ts';
import { popularity } from '../../src/models/popularity-model.ts';
import { spectral } from '../../src/models/spectral.ts';
import { splitPerUser } from '../../src/split.ts';
import type { DataSet } from '../data/data-set.ts';

export interface Fitted {
  readonly recommender: Recommender;
  /** The configuration, and of a chosen model which it is. */
  readonly note: string;
  /** What the model estimates before fitting; null for one that was chosen. */
  readonly estimatedBytes: number | null;
}

export interface FitSettings {
  readonly seed: number;
  /** Wall time of `chosen`, milliseconds. */
  readonly budgetMs: number;
}

function sizeOf({ train }: DataSet): DataSize {
  return { userCount: train.userCount, itemCount: train.itemCount, interactionCount: train.userRows.length };
}

/** Fits by the defaults for the size of the data, `own` settings over them; the seed is the run's where there is one. */
async function fitDefault<Config extends object>(
  factory: RecommenderFactory<Config>,
  data: DataSet,
  { seed, own = {}, ...options }: FitOptions & { readonly seed: number; readonly own?: Partial<Config> },
): Promise<Fitted> {
  const defaults = factory.defaultConfig(sizeOf(data));
  const config = { ...defaults, ...('seed' in defaults ? { seed } : {}), ...own };
  return {
    recommender: await factory.fit(data.train, config, options),
    note: JSON.stringify(config),
    estimatedBytes: factory.estimateMemory(sizeOf(data), config).peakBytes,
  };
}

/** EASE inverts a matrix of items by items: 12,000 take minutes and 1 GB. */
const MOST_EASE_ITEMS = 12_000;

/** Each model by its name in the table; null where it does not fit the data. */
const MODELS: Record<string, (data: DataSet, settings: FitSettings) => Promise<Fitted | null>> = {
  popularity: (data, { seed }) => fitDefault(popularity, data, { seed }),
  'item-knn': (data, { seed }) => fitDefault(itemKnn, data, { seed }),
  spectral: (data, { seed }) => fitDefault(spectral, data, { seed }),
  'gf-cf': (data, { seed }) => fitDefault(graphFilter, data, { seed }),
  'cheby-cf': (data, { seed }) =>
    fitDefault(graphFilter, data, { seed, own: { ...chebyshevConfig(sizeOf(data)), seed } }),
  ease: async (data, { seed }) => (data.train.itemCount > MOST_EASE_ITEMS ? null : fitDefault(ease, data, { seed })),
  ials: (data, { seed }) => fitDefault(ials, data, { seed }),
  bpr: (data, { seed }) => fitDefault(bpr, data, { seed }),
  content: async (data, { seed }) => {
    const { itemFeatures: lists } = data;
    if (!lists) return null;
    const featureCount = lists.items.reduce((most, feature) => Math.max(most, feature), -1) + 1;
    return fitDefault(createContentFactory({ lists, featureCount }), data, { seed });
  },
  // A tenth of train ends the training.
  lightgcn: (data, { seed }) => {
    const split = splitPerUser(data.train, { strategy: 'random', validationShare: 0.1, testShare: 0, seed });
    return fitDefault(lightGcn, { ...data, train: split.train }, { seed, validation: split.validation });
  },
  chosen: async (data, { seed, budgetMs }) => {
    const choice = await chooseModel(data.train, { budgetMs, seed });
    const measured = choice.trials.filter(({ ndcg }) => ndcg !== null).length;
    const note = `${choice.kind} ${JSON.stringify(choice.config)}, the best of ${measured} measured`;
    return { recommender: choice.recommender, note, estimatedBytes: null };
  },
};

export const MODEL_NAMES = Object.keys(MODELS);

/** @throws RangeError for a name that is none; what the model's `fit` throws. */
export async function fitModel(name: string, data: DataSet, settings: FitSettings): Promise<Fitted | null> {
  const fit = MODELS[name];
  if (!fit) throw new RangeError(`Wanted a model of ${MODEL_NAMES.join(', ')}, got ${name}.`);
  return fit(data, settings);
}
