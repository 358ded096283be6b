import { countUsersByItem, type ItemLists } from '../interaction-matrix.ts';
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
import { checkRows, powers } from './histories.ts';
import type { LinearAlgebra } from './linear-algebra.ts';
import { spectral, type SpectralConfig } from './spectral.ts';
import { createVectorRecommender, sumRows } from './vector-recommender.ts';

/** The feature rows (categories, properties) of each item, each in [0, featureCount). */
export interface ItemFeatures {
  readonly lists: ItemLists;
  readonly featureCount: number;
}

/** A linear map from features to the space of item vectors. */
export interface ContentTower {
  readonly dimension: number;
  readonly featureCount: number;
  /** `[featureCount + 1, dimension]`: the last row is what every item has. */
  readonly weights: Float32Array;
}

/**
 * Ridge regression from features to the vectors of the items that somebody has, each item weighed by the number of its
 * users: the map that places an item nobody has yet (Gantner et al. 2010, "Learning Attribute-to-Feature Mappings for
 * Cold-Start Recommendations").
 * @throws RangeError when the lists do not fit the vectors.
 */
export async function fitContentTower(
  target: { items: Float32Array; dimension: number; degrees: Int32Array },
  features: ItemFeatures,
  options: { regularization: number; algebra: LinearAlgebra },
): Promise<ContentTower> {
  const { items, dimension, degrees } = target;
  const { featureCount } = features;
  const itemCount = degrees.length;
  checkFeatures(features, itemCount);
  const width = featureCount + 1;
  const gram = new Float32Array(width * width);
  const product = new Float32Array(width * dimension);
  const scales = powers(degrees, 0.5);
  for (let item = 0; item < itemCount; item++) {
    const weight = scales[item] as number;
    const own = [
      ...features.lists.items.subarray(features.lists.offsets[item], features.lists.offsets[item + 1]),
      featureCount,
    ];
    for (const row of own) {
      for (const column of own) gram[row * width + column] = (gram[row * width + column] as number) + weight;
      for (let k = 0; k < dimension; k++) {
        const at = row * dimension + k;
        product[at] = (product[at] as number) + weight * (items[item * dimension + k] as number);
      }
    }
  }
  for (let row = 0; row < width; row++) {
    gram[row * width + row] = (gram[row * width + row] as number) + options.regularization;
  }
  await options.algebra.invertPositive({ matrix: gram, size: width });
  const weights = new Float32Array(width * dimension);
  const sizes = { rows: width, columns: dimension, depth: width };
  await options.algebra.multiply({ a: gram, b: product, c: weights, ...sizes });
  return { dimension, featureCount, weights };
}

/** The vectors of items with these features, `[items, dimension]`. @throws RangeError for a feature outside. */
export function placeItems(tower: ContentTower, lists: ItemLists): Float32Array {
  const { dimension, featureCount, weights } = tower;
  checkRows(lists.items, featureCount, 'Feature');
  const count = lists.offsets.length - 1;
  const vectors = new Float32Array(count * dimension);
  for (let item = 0; item < count; item++) {
    for (const row of [...lists.items.subarray(lists.offsets[item], lists.offsets[item + 1]), featureCount]) {
      for (let k = 0; k < dimension; k++) {
        const at = item * dimension + k;
        vectors[at] = (vectors[at] as number) + (weights[row * dimension + k] as number);
      }
    }
  }
  return vectors;
}

function checkFeatures({ lists, featureCount }: ItemFeatures, itemCount: number): void {
  if (lists.offsets.length !== itemCount + 1) {
    throw new RangeError(`Features of ${lists.offsets.length - 1} items, wanted those of ${itemCount}.`);
  }
  checkRows(lists.items, featureCount, 'Feature');
}

export interface ContentConfig {
  /** Of the item space, which is the spectral one. */
  readonly spectral: SpectralConfig;
  readonly regularization: number;
}

const RANGES = { regularization: { least: 1e-9, most: 1e9 } };

/**
 * The content tower alone as a model: users from the spectral space, every item placed by its features, so that an item
 * nobody has is scored like all others. It shows what the features carry; serving uses the tower for cold items only.
 */
export function createContentFactory(features: ItemFeatures): RecommenderFactory<ContentConfig> {
  const factory: RecommenderFactory<ContentConfig> = {
    kind: 'content',
    source: 'Gantner et al. 2010, "Learning Attribute-to-Feature Mappings for Cold-Start Recommendations"',
    defaultConfig: (size) => ({ spectral: spectral.defaultConfig(size), regularization: 10 }),
    estimateMemory: (size, config) => {
      const base = spectral.estimateMemory(size, config.spectral);
      const width = features.featureCount + 1;
      const tower = 4 * width * (2 * width + 2 * config.spectral.dimension);
      const modelBytes = base.modelBytes + 4 * size.itemCount * config.spectral.dimension;
      return { modelBytes, peakBytes: base.peakBytes + modelBytes - base.modelBytes + tower };
    },
    fit: async (train, config, options = {}) => {
      checkConfig({ ...config, spectral: 0 }, RANGES);
      checkFit(factory, train, config, options);
      const algebra = options.algebra ?? chooseAlgebra();
      const base = await spectral.fit(train, config.spectral, { ...options, algebra });
      const { vectors } = base;
      if (!vectors) throw new TypeError(`A ${base.kind} model has no vectors.`);
      const { dimension, users, items } = vectors;
      const degrees = countUsersByItem(train);
      const { regularization } = config;
      const tower = await fitContentTower({ items, dimension, degrees }, features, { regularization, algebra });
      reportProgress(options, { phase: 'placing items', done: 1, total: 1 });
      const weights = powers(degrees, -config.spectral.inputPower - config.spectral.outputPower);
      const placed = placeItems(tower, features.lists);
      return createContent({ dimension, users, items: placed, trained: items, weights }, algebra);
    },
    load: (bytes, options = {}) => {
      const file = openRecommender(bytes, 'content');
      const dimension = file.number('dimension');
      const itemCount = file.number('itemCount');
      const tables = {
        dimension,
        users: file.float32('users', file.number('userCount') * dimension),
        items: file.float32('items', itemCount * dimension),
        trained: file.float32('trained', itemCount * dimension),
        weights: file.float32('weights', itemCount),
      };
      return createContent(tables, options.algebra ?? chooseAlgebra());
    },
  };
  return factory;
}

interface ContentTables {
  readonly dimension: number;
  readonly users: Float32Array;
  /** Placed by features; `trained` are those of the spectral space, of which users are sums by `weights`. */
  readonly items: Float32Array;
  readonly trained: Float32Array;
  readonly weights: Float32Array;
}

function createContent(tables: ContentTables, algebra: LinearAlgebra): Recommender {
  const { dimension, users, items, trained, weights } = tables;
  const counts = { userCount: users.length / dimension, itemCount: items.length / dimension };
  return createVectorRecommender({
    kind: 'content',
    vectors: { dimension, users, items },
    algebra,
    foldIn: (histories) => sumRows(histories, trained, { weights, dimension, algebra }),
    parts: async (history) =>
      sumRows({ offsets: Int32Array.from({ length: history.length + 1 }, (_, at) => at), items: history }, trained, {
        weights,
        dimension,
        algebra,
      }),
    save: () => saveRecommender({ kind: 'content', ...counts }, { dimension }, { users, items, trained, weights }),
  });
}
