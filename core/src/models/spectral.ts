import { freeTable } from '../free-table.ts';
import { listItemsByUser } from '../interaction-matrix.ts';
import {
  checkConfig,
  checkFit,
  openRecommender,
  type Recommender,
  type RecommenderFactory,
  reportProgress,
  saveRecommender,
} from '../recommender.ts';
import { chooseAlgebra } from './choose-algebra.ts';
import { countPerRow, powers, scaleTable } from './histories.ts';
import type { LinearAlgebra } from './linear-algebra.ts';
import { normalizedGraphBytes, normalizeGraph } from './normalized-graph.ts';
import { spectralDimension, svdBytes, truncatedSvd } from './truncated-svd.ts';
import { createVectorRecommender, sumRows } from './vector-recommender.ts';

export interface SpectralConfig {
  /** Singular vectors kept, and length of every vector. */
  readonly dimension: number;
  /** An item of a history counts degree ^ -inputPower, an item's score is multiplied by degree ^ outputPower. */
  readonly inputPower: number;
  readonly outputPower: number;
  /** Direction k is weighed by its singular value ^ spectrumPower. */
  readonly spectrumPower: number;
  readonly rounds: number;
  readonly seed: number;
}

const RANGES = {
  dimension: { least: 1, most: 4096, whole: true },
  inputPower: { least: -4, most: 4 },
  outputPower: { least: -4, most: 4 },
  spectrumPower: { least: 0, most: 16 },
  rounds: { least: 1, most: 1000, whole: true },
  seed: { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true },
};

/**
 * The ideal low-pass filter of GF-CF (Shen et al. 2021, section 5) in the form of vectors: a user is the sum of the
 * user's items in the space of the first singular vectors of the normalised interactions. Fold-in of a user's own
 * items gives the trained vector.
 */
export const spectral: RecommenderFactory<SpectralConfig> = {
  kind: 'spectral',
  source: 'Shen et al. 2021, "How Powerful is Graph Convolution for Recommendation?", arXiv:2108.07567',
  defaultConfig: ({ userCount, itemCount, interactionCount }) => {
    const dimension = spectralDimension(interactionCount);
    // Of all directions nothing would be filtered out: a user's score of any other item would be zero.
    const most = Math.max(1, Math.ceil(Math.min(userCount, itemCount) / 4));
    return {
      dimension: Math.min(256, Math.max(32, dimension), most),
      inputPower: 0.5,
      outputPower: 0.5,
      spectrumPower: 0,
      rounds: 5,
      seed: 1,
    };
  },
  estimateMemory: (size, { dimension }) => {
    const modelBytes = 4 * dimension * (size.userCount + size.itemCount) + 4 * size.itemCount;
    // The tables of the factorisation are gone before those of the model and two of its items are there.
    const last = modelBytes + 8 * dimension * size.itemCount;
    return { modelBytes, peakBytes: normalizedGraphBytes(size) + Math.max(svdBytes(size, dimension), last) };
  },
  fit: async (train, config, options = {}) => {
    checkConfig({ ...config }, RANGES);
    checkFit(spectral, train, config, options);
    const algebra = options.algebra ?? chooseAlgebra();
    const lists = listItemsByUser(train);
    const total = config.rounds + 1;
    const onRound = (done: number) => reportProgress(options, { phase: 'factorising', done, total });
    const graph = normalizeGraph(lists, train.itemCount);
    const svd = await truncatedSvd(graph, { ...config, rank: config.dimension, algebra, onRound });
    const degrees = countPerRow({ offsets: graph.itemOffsets });
    // The weight of a direction is shared by both sides, so that vectors of both have one scale.
    const spectrum = svd.values.map((value) => value ** (config.spectrumPower / 2));
    const items = scaleTable(svd.right, powers(degrees, config.outputPower), spectrum);
    const ego = scaleTable(svd.right, powers(degrees, -config.inputPower), spectrum);
    freeTable(svd.right);
    const ones = new Float32Array(train.itemCount).fill(1);
    const users = await sumRows(lists, ego, { weights: ones, dimension: svd.rank, algebra });
    freeTable(ego);
    reportProgress(options, { phase: 'factorising', done: total, total });
    const weights = powers(degrees, -config.inputPower - config.outputPower);
    return createSpectral({ dimension: svd.rank, users, items, weights }, algebra);
  },
  load: (bytes, options = {}) => {
    const file = openRecommender(bytes, 'spectral');
    const dimension = file.number('dimension');
    const itemCount = file.number('itemCount');
    const tables = {
      dimension,
      users: file.float32('users', file.number('userCount') * dimension),
      items: file.float32('items', itemCount * dimension),
      weights: file.float32('weights', itemCount),
    };
    return createSpectral(tables, options.algebra ?? chooseAlgebra());
  },
};

interface SpectralTables {
  readonly dimension: number;
  readonly users: Float32Array;
  readonly items: Float32Array;
  /** A user is the sum of weight * item vector. */
  readonly weights: Float32Array;
}

function createSpectral(tables: SpectralTables, algebra: LinearAlgebra): Recommender {
  const { dimension, users, items, weights } = tables;
  const userCount = users.length / dimension;
  const itemCount = items.length / dimension;
  return createVectorRecommender({
    kind: 'spectral',
    vectors: { dimension, users, items },
    algebra,
    foldIn: (histories) => sumRows(histories, items, { weights, dimension, algebra }),
    parts: async (history) =>
      Float32Array.from({ length: history.length * dimension }, (_, at) => {
        const item = history[Math.floor(at / dimension)] as number;
        return (weights[item] as number) * (items[item * dimension + (at % dimension)] as number);
      }),
    save: () => saveRecommender({ kind: 'spectral', userCount, itemCount }, { dimension }, { users, items, weights }),
  });
}
