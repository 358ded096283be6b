import type { ItemLists } from '../interaction-matrix.ts';
import type { Recommender, RecommenderKind } from '../recommender.ts';
import { checkRows, cleanHistories, selectHistories, singleHistory } from './histories.ts';
import { explanationOf } from './vector-recommender.ts';

/** A model that scores from the items of a history alone, and keeps the training histories for its own users. */
export interface HistoryModel {
  readonly kind: RecommenderKind;
  readonly itemCount: number;
  /** The training items of each user, ascending and without repeats. */
  readonly histories: ItemLists;
  /** `[histories, itemCount]` of clean histories. */
  readonly score: (histories: ItemLists) => Promise<Float32Array>;
  /** What each item of a clean history adds to the score of `itemRow`; they sum to the score. */
  readonly contribute: (history: Int32Array, itemRow: number) => Promise<readonly number[]>;
  readonly save: () => Uint8Array<ArrayBuffer>;
}

/** A recommender without vectors; trained users and folded-in ones score alike. */
export function createHistoryRecommender(model: HistoryModel): Recommender {
  const { kind, itemCount, histories } = model;
  return {
    kind,
    userCount: histories.offsets.length - 1,
    itemCount,
    vectors: null,
    scoreUsers: async (userRows) => model.score(selectHistories(histories, userRows)),
    scoreHistories: async (others) => model.score(cleanHistories(others, itemCount)),
    foldIn: () => null,
    explain: async (history, itemRow) => {
      checkRows([itemRow], itemCount, 'Item');
      const own = cleanHistories(singleHistory(history), itemCount).items;
      return explanationOf(own, await model.contribute(own, itemRow));
    },
    save: model.save,
  };
}
