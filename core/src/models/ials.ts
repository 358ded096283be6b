import { listItemsByUser } from '../interaction-matrix.ts';
import { drawNormals, seedRandom } from '../random.ts';
import { checkConfig, checkFit, type RecommenderFactory, reportProgress } from '../recommender.ts';
import { chooseAlgebra } from './choose-algebra.ts';
import { createFactorModel, loadFactorModel } from './factor-model.ts';
import { transposeLists } from './histories.ts';

export interface IalsConfig {
  readonly dimension: number;
  /** Weight of a pair that was not observed, alpha_0. */
  readonly unobserved: number;
  readonly regularization: number;
  /** How the regularisation grows with the number of interactions, nu. */
  readonly exponent: number;
  readonly epochs: number;
  readonly seed: number;
}

const RANGES = {
  dimension: { least: 1, most: 1024, whole: true },
  unobserved: { least: 0, most: 1000 },
  regularization: { least: 1e-9, most: 1e6 },
  exponent: { least: 0, most: 2 },
  epochs: { least: 1, most: 10_000, whole: true },
  seed: { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true },
};

/** Standard deviation of the length of an initial vector. */
const INITIAL_DEVIATION = 0.1;

/** Implicit alternating least squares with frequency-scaled regularisation. */
export const ials: RecommenderFactory<IalsConfig> = {
  kind: 'ials',
  source:
    'Hu, Koren and Volinsky 2008, "Collaborative Filtering for Implicit Feedback Datasets"; Rendle et al. 2021, "Revisiting the Performance of iALS on Item Recommendation Benchmarks", arXiv:2110.14037',
  defaultConfig: ({ itemCount }) => ({
    dimension: 64,
    unobserved: Math.min(0.5, Math.max(0.03, 200 / itemCount)),
    regularization: 0.025,
    exponent: 1,
    epochs: 12,
    seed: 1,
  }),
  estimateMemory: ({ userCount, itemCount, interactionCount }, { dimension }) => {
    const modelBytes = 4 * dimension * (userCount + itemCount);
    return {
      modelBytes,
      peakBytes: modelBytes + 12 * interactionCount + 8 * (userCount + itemCount) + 16 * dimension * dimension,
    };
  },
  fit: async (train, config, options = {}) => {
    checkConfig({ ...config }, RANGES);
    checkFit(ials, train, config, options);
    const algebra = options.algebra ?? chooseAlgebra();
    const { dimension, unobserved, regularization, exponent, epochs } = config;
    const lists = listItemsByUser(train);
    const byItem = transposeLists(lists, train.itemCount);
    const random = seedRandom(config.seed);
    const deviation = INITIAL_DEVIATION / Math.sqrt(dimension);
    const items = drawNormals(random, train.itemCount * dimension, deviation);
    const users = new Float32Array(train.userCount * dimension);
    const shared = { dimension, unobserved, regularization, exponent };
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const { offsets, items: indices } = lists;
      await algebra.solveLeastSquares({ ...shared, offsets, indices, fixed: items, out: users });
      const columns = { offsets: byItem.offsets, indices: byItem.items };
      await algebra.solveLeastSquares({ ...shared, ...columns, fixed: users, out: items });
      reportProgress(options, { phase: 'alternating', done: epoch, total: epochs });
    }
    // Users last, so that they are what folding in their items gives.
    await algebra.solveLeastSquares({
      ...shared,
      offsets: lists.offsets,
      indices: lists.items,
      fixed: items,
      out: users,
    });
    return createFactorModel({ kind: 'ials', users, items, ...shared }, algebra);
  },
  load: (bytes, options = {}) => loadFactorModel(bytes, 'ials', options.algebra ?? chooseAlgebra()),
};
