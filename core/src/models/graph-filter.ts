import { type ItemLists, listItemsByUser } from '../interaction-matrix.ts';
import {
  checkConfig,
  checkFit,
  type DataSize,
  openRecommender,
  type Recommender,
  type RecommenderFactory,
  reportProgress,
  saveRecommender,
} from '../recommender.ts';
import { chooseAlgebra } from './choose-algebra.ts';
import { countPerRow, powers, singleHistory } from './histories.ts';
import { createHistoryRecommender } from './history-recommender.ts';
import type { LinearAlgebra, NormalizedGraph } from './linear-algebra.ts';
import { normalizedGraphBytes, normalizeGraph } from './normalized-graph.ts';
import { spectralDimension, svdBytes, truncatedSvd } from './truncated-svd.ts';
import { sumRows } from './vector-recommender.ts';

export interface GraphFilterConfig {
  /** Degree of the polynomial; 1 is the linear filter of GF-CF. */
  readonly order: number;
  /** The plateau of ChebyCF: the higher, the flatter between its two ends. Not used with order 1. */
  readonly flatness: number;
  /** Singular vectors of the ideal low-pass filter that is added, and its weight. */
  readonly dimension: number;
  readonly idealWeight: number;
  /** degree ^ -power goes into each filter and degree ^ power multiplies what comes out. */
  readonly filterPower: number;
  readonly idealPower: number;
  readonly rounds: number;
  readonly seed: number;
}

const RANGES = {
  order: { least: 1, most: 64, whole: true },
  flatness: { least: 1, most: 1000 },
  dimension: { least: 1, most: 4096, whole: true },
  idealWeight: { least: 0, most: 1000 },
  filterPower: { least: -4, most: 4 },
  idealPower: { least: -4, most: 4 },
  rounds: { least: 1, most: 1000, whole: true },
  seed: { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true },
};

/**
 * Chebyshev coefficients over x = 1 - 2 p, p the squared singular value: the linear filter p itself, or for a higher
 * order the interpolation of the plateau (1 + (-x) ^ flatness) / 2 for x < 0, (1 - x ^ flatness) / 2 above, at the
 * order + 1 extrema (Kim et al. 2025, section 4).
 */
export function filterCoefficients({ order, flatness }: Pick<GraphFilterConfig, 'order' | 'flatness'>): Float32Array {
  if (order === 1) return Float32Array.of(0.5, -0.5);
  const plateau = (x: number) => (x < 0 ? (1 + (-x) ** flatness) / 2 : (1 - x ** flatness) / 2);
  return Float32Array.from({ length: order + 1 }, (_, degree) => {
    let sum = 0;
    for (let node = 0; node <= order; node++) {
      const half = node === 0 || node === order ? 0.5 : 1;
      const angle = (Math.PI * node) / order;
      sum += half * plateau(Math.cos(angle)) * Math.cos(degree * angle);
    }
    return ((degree === 0 || degree === order ? 1 : 2) / order) * sum;
  });
}

/**
 * Training-free scores by filters of the item graph: a polynomial one (GF-CF's linear filter, or ChebyCF's plateau) plus
 * a weighted ideal low-pass one. No vectors: a score costs passes over the graph.
 */
export const graphFilter: RecommenderFactory<GraphFilterConfig> = {
  kind: 'graph-filter',
  source:
    'Shen et al. 2021 (GF-CF), arXiv:2108.07567; Kim et al. 2025 (ChebyCF), "Graph Spectral Filtering with Chebyshev Interpolation for Recommendation", arXiv:2505.00552',
  defaultConfig: ({ userCount, itemCount, interactionCount }) => {
    const dimension = spectralDimension(interactionCount);
    return {
      order: 1,
      flatness: 10,
      dimension: Math.min(256, Math.max(32, dimension), Math.max(1, Math.min(userCount, itemCount))),
      idealWeight: 0.3,
      filterPower: 0,
      idealPower: 0.5,
      rounds: 5,
      seed: 1,
    };
  },
  estimateMemory: (size, { dimension }) => {
    const modelBytes = normalizedGraphBytes(size) + 4 * size.itemCount * (2 * dimension + 4);
    // Scoring, when the factorisation is over, keeps four tables of 32 columns.
    const scoring = 128 * (3 * size.itemCount + size.userCount);
    const fitting = normalizedGraphBytes(size) + svdBytes(size, dimension);
    return { modelBytes, peakBytes: Math.max(fitting, modelBytes + scoring) };
  },
  fit: async (train, config, options = {}) => {
    checkConfig({ ...config }, RANGES);
    checkFit(graphFilter, train, config, options);
    const algebra = options.algebra ?? chooseAlgebra();
    const lists = listItemsByUser(train);
    const graph = normalizeGraph(lists, train.itemCount);
    const total = config.rounds;
    const onRound = (done: number) => reportProgress(options, { phase: 'factorising', done, total });
    const { right, rank } = await truncatedSvd(graph, { ...config, rank: config.dimension, algebra, onRound });
    return createGraphFilter({ config, lists, graph, right, dimension: rank, itemCount: train.itemCount }, algebra);
  },
  load: (bytes, options = {}) => {
    const file = openRecommender(bytes, 'graph-filter');
    const itemCount = file.number('itemCount');
    const dimension = file.number('dimension');
    const lists = { offsets: file.int32('offsets', file.number('userCount') + 1), items: file.int32('items') };
    const config = checkedConfig(file.meta.config);
    const right = file.float32('right', itemCount * dimension);
    const graph = normalizeGraph(lists, itemCount);
    return createGraphFilter({ config, lists, graph, right, dimension, itemCount }, options.algebra ?? chooseAlgebra());
  },
};

/** The plateau filter of ChebyCF: better than GF-CF on sparse data, at `order` times the cost of a score. */
export function chebyshevConfig(size: DataSize): GraphFilterConfig {
  return { ...graphFilter.defaultConfig(size), order: 4, flatness: 3, filterPower: 0.25 };
}

function checkedConfig(value: unknown): GraphFilterConfig {
  const config = value as GraphFilterConfig;
  checkConfig({ ...config }, RANGES);
  return config;
}

interface FilterTables {
  readonly config: GraphFilterConfig;
  readonly lists: ItemLists;
  readonly graph: NormalizedGraph;
  readonly right: Float32Array;
  readonly dimension: number;
  readonly itemCount: number;
}

function createGraphFilter(tables: FilterTables, algebra: LinearAlgebra): Recommender {
  const { config, lists, graph, right, dimension, itemCount } = tables;
  const degrees = countPerRow({ offsets: graph.itemOffsets });
  const coefficients = filterCoefficients(config);
  const inputScale = powers(degrees, -config.filterPower);
  const outputScale = powers(degrees, config.filterPower);
  const idealWeights = powers(degrees, -config.idealPower);
  const lifted = powers(degrees, config.idealPower);
  const idealItems = transposeScaled(right, lifted, config.idealWeight);
  const filter = async (histories: ItemLists, scales: { inputScale: Float32Array; outputScale: Float32Array }) => {
    const count = histories.offsets.length - 1;
    const out = new Float32Array(count * itemCount);
    const rows = { historyOffsets: histories.offsets, historyItems: histories.items };
    await algebra.filterHistories({ ...graph, coefficients, ...rows, ...scales, out });
    return out;
  };
  return createHistoryRecommender({
    kind: 'graph-filter',
    itemCount,
    histories: lists,
    score: async (histories) => {
      const out = await filter(histories, { inputScale, outputScale });
      if (dimension === 0 || config.idealWeight === 0) return out;
      const users = await sumRows(histories, right, { weights: idealWeights, dimension, algebra });
      await algebra.multiply({
        a: users,
        b: idealItems,
        c: out,
        rows: histories.offsets.length - 1,
        columns: itemCount,
        depth: dimension,
        beta: 1,
      });
      return out;
    },
    contribute: async (history, itemRow) => {
      // The filter is symmetric: what each item adds to one score is the filter of that item, the scales exchanged.
      const scales = { inputScale: outputScale, outputScale: inputScale };
      const column = await filter(singleHistory(Int32Array.of(itemRow)), scales);
      return Array.from(history, (item) => {
        let amount = column[item] as number;
        for (let k = 0; k < dimension; k++) {
          const ideal = (right[item * dimension + k] as number) * (idealItems[k * itemCount + itemRow] as number);
          amount += (idealWeights[item] as number) * ideal;
        }
        return amount;
      });
    },
    save: () =>
      saveRecommender(
        { kind: 'graph-filter', userCount: lists.offsets.length - 1, itemCount },
        { config, dimension },
        { offsets: lists.offsets, items: lists.items, right },
      ),
  });
}

/** A table `[rows, columns]`, each row multiplied by its value and by `scale`, as `[columns, rows]`. */
function transposeScaled(table: Float32Array, byRow: Float32Array, scale: number): Float32Array {
  const rows = byRow.length;
  const columns = rows === 0 ? 0 : table.length / rows;
  const out = new Float32Array(table.length);
  for (let row = 0; row < rows; row++) {
    const factor = scale * (byRow[row] as number);
    for (let column = 0; column < columns; column++) {
      out[column * rows + row] = factor * (table[row * columns + column] as number);
    }
  }
  return out;
}
