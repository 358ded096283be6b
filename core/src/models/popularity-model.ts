import { type ItemLists, countUsersByItem } from '../interaction-matrix.ts';
import {
  checkFit,
  openRecommender,
  type Recommender,
  type RecommenderFactory,
  reportProgress,
  saveRecommender,
} from '../recommender.ts';
import { checkRows } from './histories.ts';

/** Nothing to choose. */
export type PopularityConfig = Readonly<Record<string, never>>;

/** The same scores for everybody: the number of training users of each item. What every other model must beat. */
export const popularity: RecommenderFactory<PopularityConfig> = {
  kind: 'popularity',
  source: 'Cremonesi, Koren and Turrin 2010, "Performance of Recommender Algorithms on Top-N Recommendation Tasks"',
  defaultConfig: () => ({}),
  estimateMemory: ({ userCount, itemCount, interactionCount }) => ({
    modelBytes: 4 * itemCount,
    peakBytes: 8 * itemCount + 4 * userCount + 8 * interactionCount,
  }),
  fit: async (train, config, options = {}) => {
    checkFit(popularity, train, config, options);
    const counts = Float32Array.from(countUsersByItem(train));
    reportProgress(options, { phase: 'counting', done: 1, total: 1 });
    return createPopularity(train.userCount, counts);
  },
  load: (bytes) => {
    const file = openRecommender(bytes, 'popularity');
    return createPopularity(file.number('userCount'), file.float32('counts', file.number('itemCount')));
  },
};

function createPopularity(userCount: number, counts: Float32Array): Recommender {
  const itemCount = counts.length;
  const repeat = (times: number) => {
    const scores = new Float32Array(times * itemCount);
    for (let row = 0; row < times; row++) scores.set(counts, row * itemCount);
    return scores;
  };
  return {
    kind: 'popularity',
    userCount,
    itemCount,
    vectors: null,
    scoreUsers: async (userRows) => {
      checkRows(userRows, userCount, 'User');
      return repeat(userRows.length);
    },
    scoreHistories: async (histories: ItemLists) => {
      checkRows(histories.items, itemCount, 'Item');
      return repeat(histories.offsets.length - 1);
    },
    foldIn: () => null,
    explain: async (history, itemRow) => {
      checkRows([...history, itemRow], itemCount, 'Item');
      return { contributions: [], remainder: counts[itemRow] ?? 0 };
    },
    save: () => saveRecommender({ kind: 'popularity', userCount, itemCount }, {}, { counts }),
  };
}
