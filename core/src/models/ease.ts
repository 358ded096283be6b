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
import { chooseAlgebra } from './choose-algebra.ts';
import { createHistoryRecommender } from './history-recommender.ts';
import type { LinearAlgebra } from './linear-algebra.ts';

export interface EaseConfig {
  /** The L2 penalty lambda. */
  readonly regularization: number;
  /** A user of n items counts n ^ -userPower; 0 as in the paper. */
  readonly userPower: number;
  /** The most items that are tried: time grows with their cube, memory with their square. */
  readonly maxItems: number;
}

const RANGES = {
  regularization: { least: 1e-6, most: 1e9 },
  userPower: { least: 0, most: 2 },
  maxItems: { least: 1, most: 65_536, whole: true },
};

/** Users whose items are spread out at a time to form the Gram matrix. */
const GRAM_BLOCK = 1024;

/** The linear item-item autoencoder in closed form: W = I - P / diag(P) with P = (X^T X + lambda I)^-1; scores are X W. */
export const ease: RecommenderFactory<EaseConfig> = {
  kind: 'ease',
  source: 'Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data", arXiv:1905.03375',
  defaultConfig: ({ userCount }) => ({
    regularization: Math.max(10, 0.4 * userCount),
    userPower: 0,
    maxItems: 12_000,
  }),
  estimateMemory: ({ userCount, itemCount, interactionCount }) => {
    const square = 4 * itemCount * itemCount;
    const modelBytes = square + 4 * (userCount + interactionCount);
    return { modelBytes, peakBytes: modelBytes + square + 4 * GRAM_BLOCK * itemCount + 12 * interactionCount };
  },
  fit: async (train, config, options = {}) => {
    checkConfig({ ...config }, RANGES);
    const { itemCount } = train;
    if (itemCount > config.maxItems) {
      throw new ModelTooLargeError(
        `ease inverts a square of ${itemCount} items, more than maxItems ${config.maxItems}.`,
      );
    }
    checkFit(ease, train, config, options);
    const algebra = options.algebra ?? chooseAlgebra();
    const lists = listItemsByUser(train);
    const weights = await gramMatrix(lists, { ...options, itemCount, userPower: config.userPower, algebra });
    for (let item = 0; item < itemCount; item++) {
      const at = item * itemCount + item;
      weights[at] = (weights[at] as number) + config.regularization;
    }
    reportProgress(options, { phase: 'counting pairs', done: 1, total: 2 });
    await invert(weights, itemCount, algebra, options.signal);
    reportProgress(options, { phase: 'inverting', done: 2, total: 2 });
    divideByDiagonal(weights, itemCount);
    return createEase(lists, weights, algebra);
  },
  load: (bytes, options = {}) => {
    const file = openRecommender(bytes, 'ease');
    const lists = { offsets: file.int32('offsets', file.number('userCount') + 1), items: file.int32('items') };
    const weights = file.float32('weights', file.number('itemCount') ** 2);
    return createEase(lists, weights, options.algebra ?? chooseAlgebra());
  },
};

interface GramOptions {
  readonly itemCount: number;
  readonly userPower: number;
  readonly algebra: LinearAlgebra;
  readonly signal?: AbortSignal;
}

/** The one step that takes minutes on large catalogues: the signal reaches into it. @throws the reason of `signal`. */
async function invert(
  matrix: Float32Array,
  size: number,
  algebra: LinearAlgebra,
  signal: AbortSignal | undefined,
): Promise<void> {
  const cancel = new Int32Array(1);
  const onAbort = () => cancel.fill(1);
  signal?.addEventListener('abort', onAbort);
  try {
    await algebra.invertPositive({ matrix, size, cancel });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** The lower triangle of the sum over users of n ^ -userPower x x^T. */
async function gramMatrix(
  lists: ItemLists,
  { itemCount, userPower, algebra, signal }: GramOptions,
): Promise<Float32Array> {
  const gram = new Float32Array(itemCount * itemCount);
  const userCount = lists.offsets.length - 1;
  const spread = new Float32Array(Math.min(GRAM_BLOCK, userCount) * itemCount);
  for (let start = 0; start < userCount; start += GRAM_BLOCK) {
    const depth = Math.min(GRAM_BLOCK, userCount - start);
    spread.fill(0);
    for (let user = start; user < start + depth; user++) {
      const own = lists.items.subarray(lists.offsets[user], lists.offsets[user + 1]);
      const value = own.length ** (-userPower / 2);
      for (const item of own) spread[(user - start) * itemCount + item] = value;
    }
    const block = spread.subarray(0, depth * itemCount);
    await algebra.multiply({
      a: block,
      b: block,
      c: gram,
      rows: itemCount,
      columns: itemCount,
      depth,
      transposeA: true,
      lower: true,
      beta: 1,
    });
    signal?.throwIfAborted();
  }
  return gram;
}

/** P becomes W^T, row by row: what item j of a history adds to item i stands at [j, i] of W = -P[j, i] / P[i, i]. */
function divideByDiagonal(inverse: Float32Array, itemCount: number): void {
  const diagonal = Float64Array.from({ length: itemCount }, (_, item) => inverse[item * itemCount + item] as number);
  for (let row = 0; row < itemCount; row++) {
    for (let column = 0; column < itemCount; column++) {
      const at = row * itemCount + column;
      inverse[at] = row === column ? 0 : -(inverse[at] as number) / (diagonal[column] as number);
    }
  }
}

function createEase(lists: ItemLists, weights: Float32Array, algebra: LinearAlgebra): Recommender {
  const itemCount = Math.sqrt(weights.length);
  return createHistoryRecommender({
    kind: 'ease',
    itemCount,
    histories: lists,
    score: async ({ offsets, items }) => {
      const out = new Float32Array((offsets.length - 1) * itemCount);
      const rows = { offsets, indices: items, values: null };
      const table = { dense: weights, denseRows: itemCount, columns: itemCount };
      await algebra.multiplySparse({ ...rows, ...table, out });
      return out;
    },
    contribute: async (history, itemRow) =>
      Array.from(history, (item) => weights[item * itemCount + itemRow] as number),
    save: () =>
      saveRecommender(
        { kind: 'ease', userCount: lists.offsets.length - 1, itemCount },
        {},
        { offsets: lists.offsets, items: lists.items, weights },
      ),
  });
}
