import { type ItemLists, listItemsByUser } from '../interaction-matrix.ts';
import {
  checkConfig,
  checkFit,
  ModelTooLargeError,
  openRecommender,
  type Recommender,
  type RecommenderFactory,
  reportProgress,
  saveRecommender,
} from '../recommender.ts';
import { countPerRow, transposeLists } from './histories.ts';
import { createHistoryRecommender } from './history-recommender.ts';

export interface ItemKnnConfig {
  /** Most similar items kept for each item. */
  readonly neighbors: number;
  /** Added to the denominator of the similarity: little evidence counts less. */
  readonly shrinkage: number;
  /** The similarity divides by degree_i ^ power * degree_j ^ power; 0.5 is the cosine. */
  readonly power: number;
}

const RANGES = {
  neighbors: { least: 1, most: 65_536, whole: true },
  shrinkage: { least: 0, most: 1e9 },
  power: { least: 0, most: 2 },
};

/** Pairs of items of one user, over all users, that are counted at the most: some ten minutes of work. */
const MOST_PAIRS = 1e11;

/** Items between two checks of the signal. */
const CHUNK = 512;

/**
 * Item-based nearest neighbours: a score is the sum of the similarities to the items of the history, among whose nearest
 * the item is. Similarity of i and j: users of both / ((users of i * users of j) ^ power + shrinkage).
 */
export const itemKnn: RecommenderFactory<ItemKnnConfig> = {
  kind: 'item-knn',
  source:
    'Sarwar et al. 2001, "Item-based Collaborative Filtering"; shrinkage: Bell and Koren 2007, "Scalable Collaborative Filtering with Jointly Derived Neighborhood Interpolation Weights"',
  defaultConfig: () => ({ neighbors: 200, shrinkage: 10, power: 0.5 }),
  estimateMemory: ({ userCount, itemCount, interactionCount }, { neighbors }) => {
    const kept = Math.min(neighbors, itemCount) * itemCount;
    const modelBytes = 8 * kept + 4 * interactionCount + 4 * (userCount + itemCount);
    const lists = 12 * interactionCount + 32 * itemCount;
    return { modelBytes, peakBytes: modelBytes + 8 * kept + lists };
  },
  fit: async (train, config, options = {}) => {
    checkConfig({ ...config }, RANGES);
    checkFit(itemKnn, train, config, options);
    const lists = listItemsByUser(train);
    const pairCount = countPerRow(lists).reduce((sum, count) => sum + count ** 2, 0);
    if (pairCount > MOST_PAIRS) {
      const needs = `item-knn would count ${pairCount} pairs of items of one user`;
      throw new ModelTooLargeError(`${needs}, more than the ${MOST_PAIRS} allowed.`);
    }
    const search = createSearch(lists, train.itemCount, config);
    for (let start = 0; start < train.itemCount; start += CHUNK) {
      const end = Math.min(train.itemCount, start + CHUNK);
      for (let item = start; item < end; item++) search.addItem(item);
      reportProgress(options, { phase: 'comparing items', done: end, total: train.itemCount });
      // Lets the signal's event through.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return createItemKnn(lists, search.finish());
  },
  load: (bytes) => {
    const file = openRecommender(bytes, 'item-knn');
    const lists = { offsets: file.int32('offsets', file.number('userCount') + 1), items: file.int32('items') };
    const offsets = file.int32('neighborOffsets', file.number('itemCount') + 1);
    const count = offsets.at(-1) ?? 0;
    const rows = file.int32('neighborRows', count);
    return createItemKnn(lists, { offsets, rows, similarities: file.float32('similarities', count) });
  },
};

/** For each item its nearest items, nearest first: item i has `[offsets[i], offsets[i + 1])`. */
interface Neighbors {
  readonly offsets: Int32Array;
  readonly rows: Int32Array;
  readonly similarities: Float32Array;
}

function createSearch(lists: ItemLists, itemCount: number, config: ItemKnnConfig) {
  const byItem = transposeLists(lists, itemCount);
  const degrees = countPerRow(byItem);
  const common = new Int32Array(itemCount);
  // Written over for each item: an object or an array of its own for each would be garbage of the size of the result.
  const touched = new Int32Array(itemCount);
  const similarities = new Float64Array(itemCount);
  const sorted = new Float64Array(itemCount);
  const offsets = new Int32Array(itemCount + 1);
  // The system gives memory only for what is written.
  const most = itemCount * Math.min(config.neighbors, itemCount);
  const rows = new Int32Array(most);
  const values = new Float32Array(most);

  const countCommon = (item: number): number => {
    let count = 0;
    for (let at = byItem.offsets[item] as number; at < (byItem.offsets[item + 1] as number); at++) {
      const user = byItem.items[at] as number;
      const end = lists.offsets[user + 1] as number;
      for (let entry = lists.offsets[user] as number; entry < end; entry++) {
        const other = lists.items[entry] as number;
        if (common[other] === 0) touched[count++] = other;
        common[other] = (common[other] as number) + 1;
      }
    }
    touched.subarray(0, count).sort();
    return count;
  };
  const compare = (item: number, count: number): void => {
    for (let at = 0; at < count; at++) {
      const other = touched[at] as number;
      const both = common[other] as number;
      common[other] = 0;
      const norm = ((degrees[item] as number) * (degrees[other] as number)) ** config.power;
      similarities[at] = other === item ? -1 : both / (norm + config.shrinkage);
    }
  };
  const addItem = (item: number): void => {
    const count = countCommon(item);
    compare(item, count);
    // Sorting plain numbers to find the least that is kept is ten times as fast as sorting all pairs.
    sorted.set(similarities.subarray(0, count));
    const ascending = sorted.subarray(0, count);
    ascending.sort();
    const least = ascending[Math.max(0, count - config.neighbors)] ?? 0;
    const found: number[] = [];
    for (let at = 0; at < count; at++) if ((similarities[at] as number) >= Math.max(0, least)) found.push(at);
    found.sort((x, y) => (similarities[y] as number) - (similarities[x] as number) || x - y);
    const start = offsets[item] as number;
    const kept = Math.min(found.length, config.neighbors);
    for (let rank = 0; rank < kept; rank++) {
      rows[start + rank] = touched[found[rank] as number] as number;
      values[start + rank] = similarities[found[rank] as number] as number;
    }
    offsets[item + 1] = start + kept;
  };
  const finish = (): Neighbors => {
    const count = offsets[itemCount] as number;
    return { offsets, rows: rows.slice(0, count), similarities: values.slice(0, count) };
  };
  return { addItem, finish };
}

function createItemKnn(lists: ItemLists, neighbors: Neighbors): Recommender {
  const itemCount = neighbors.offsets.length - 1;
  const addNeighbors = (item: number, scores: Float32Array): void => {
    const end = neighbors.offsets[item + 1] as number;
    for (let at = neighbors.offsets[item] as number; at < end; at++) {
      const row = neighbors.rows[at] as number;
      scores[row] = (scores[row] as number) + (neighbors.similarities[at] as number);
    }
  };
  const similarityOf = (item: number, target: number): number => {
    const own = neighbors.rows.subarray(neighbors.offsets[item], neighbors.offsets[item + 1]);
    const at = own.indexOf(target);
    return at < 0 ? 0 : (neighbors.similarities[(neighbors.offsets[item] ?? 0) + at] ?? 0);
  };
  return createHistoryRecommender({
    kind: 'item-knn',
    itemCount,
    histories: lists,
    score: async ({ offsets, items }) => {
      const scores = new Float32Array((offsets.length - 1) * itemCount);
      for (let row = 0; row + 1 < offsets.length; row++) {
        const own = scores.subarray(row * itemCount, (row + 1) * itemCount);
        for (const item of items.subarray(offsets[row], offsets[row + 1])) addNeighbors(item, own);
      }
      return scores;
    },
    contribute: async (history, itemRow) => Array.from(history, (item) => similarityOf(item, itemRow)),
    save: () =>
      saveRecommender(
        { kind: 'item-knn', userCount: lists.offsets.length - 1, itemCount },
        {},
        {
          offsets: lists.offsets,
          items: lists.items,
          neighborOffsets: neighbors.offsets,
          neighborRows: neighbors.rows,
          similarities: neighbors.similarities,
        },
      ),
  });
}
