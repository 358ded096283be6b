import { type ItemLists, countUsersByItem } from '../interaction-matrix.ts';
import { foldInUser } from '../fold-in.ts';
import { defaultHyperparameters, type Hyperparameters } from '../lightgcn/hyperparameters.ts';
import { estimateTraining } from '../lightgcn/memory-estimate.ts';
import { loadLightGcnAddon } from '../lightgcn/native-addon.ts';
import {
  bestEmbeddings,
  closeTraining,
  createTraining,
  isTrainingFinished,
  trainNextEpoch,
} from '../lightgcn/training.ts';
import {
  checkFit,
  openRecommender,
  type Recommender,
  type RecommenderFactory,
  type RecommenderVectors,
  reportProgress,
  saveRecommender,
} from '../recommender.ts';
import { chooseAlgebra } from './choose-algebra.ts';
import { fitFoldInMap } from './fold-in-map.ts';
import type { LinearAlgebra } from './linear-algebra.ts';
import { createVectorRecommender } from './vector-recommender.ts';

/** LightGCN, trained with early stopping where there are validation interactions. */
export const lightGcn: RecommenderFactory<Hyperparameters> = {
  kind: 'lightgcn',
  source:
    'He et al. 2020, "LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation", arXiv:2002.02126',
  defaultConfig: (size) => defaultHyperparameters(size),
  estimateMemory: (size, config) => {
    const modelBytes = 4 * config.dimension * (size.userCount + size.itemCount) + 4 * size.itemCount;
    const backend = loadLightGcnAddon().addon ? 'native' : 'reference';
    return { modelBytes, peakBytes: estimateTraining({ ...size, ...config, backend }) };
  },
  fit: async (train, config, options = {}) => {
    checkFit(lightGcn, train, config, options);
    const none = { ...train, userRows: new Int32Array(0), itemRows: new Int32Array(0) };
    const validation = options.validation ?? { ...none, weights: new Float32Array(0), timestamps: new Float64Array(0) };
    const training = await createTraining(train, validation, config);
    try {
      while (!isTrainingFinished(training)) {
        const { epoch, loss, ndcgAt10 } = await trainNextEpoch(training);
        const seen = options.validation ? { validationNdcg: ndcgAt10 } : {};
        reportProgress(options, { phase: 'training', done: epoch, total: config.epochs, loss, ...seen });
        // Lets the signal's event through.
        await new Promise((resolve) => setImmediate(resolve));
      }
      const vectors = await bestEmbeddings(training);
      const algebra = options.algebra ?? chooseAlgebra();
      const foldInMap = await fitFoldInMap(train, vectors, algebra);
      return createLightGcnRecommender({ ...vectors, foldInMap, itemDegrees: countUsersByItem(train) }, algebra);
    } finally {
      closeTraining(training);
    }
  },
  load: (bytes, options = {}) => {
    const file = openRecommender(bytes, 'lightgcn');
    const dimension = file.number('dimension');
    const itemCount = file.number('itemCount');
    const tables = {
      dimension,
      users: file.float32('users', file.number('userCount') * dimension),
      items: file.float32('items', itemCount * dimension),
      foldInMap: file.float32('foldInMap', dimension * dimension),
      itemDegrees: file.int32('degrees', itemCount),
    };
    return createLightGcnRecommender(tables, options.algebra ?? chooseAlgebra());
  },
};

interface LightGcnTables extends RecommenderVectors {
  readonly foldInMap: Float32Array;
  /** Training users of each item, `[itemCount]`. */
  readonly itemDegrees: Int32Array;
}

/** Trained LightGCN vectors as a recommender. */
function createLightGcnRecommender(tables: LightGcnTables, algebra: LinearAlgebra): Recommender {
  const { dimension, users, items, itemDegrees, foldInMap } = tables;
  const model = { dimension, items, itemDegrees, foldInMap, foldInPower: 0 };
  const counts = { userCount: users.length / dimension, itemCount: items.length / dimension };
  return createVectorRecommender({
    kind: 'lightgcn',
    vectors: { dimension, users, items },
    algebra,
    foldIn: async ({ offsets, items: rows }: ItemLists) => {
      const out = new Float32Array((offsets.length - 1) * dimension);
      for (let index = 0; index + 1 < offsets.length; index++) {
        out.set(foldInUser(model, rows.subarray(offsets[index], offsets[index + 1])), index * dimension);
      }
      return out;
    },
    parts: async (history) => {
      const scale = 1 / Math.sqrt(history.filter((item) => (itemDegrees[item] ?? 0) > 0).length);
      const parts = new Float32Array(history.length * dimension);
      history.forEach((item, index) => {
        if (itemDegrees[item] === 0) return;
        const alone = foldInUser(model, [item]);
        alone.forEach((value, column) => {
          parts[index * dimension + column] = scale * value;
        });
      });
      return parts;
    },
    save: () =>
      saveRecommender(
        { kind: 'lightgcn', ...counts },
        { dimension },
        { users, items, foldInMap, degrees: itemDegrees },
      ),
  });
}
