import type { Scalar, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import type { PairBatch, SoftmaxSettings, TripleBatch } from './backend.ts';
import type { InteractionGraph } from './graph.ts';
import type { TensorFlow } from './tensorflow.ts';

/** The propagation of one graph in TensorFlow.js; owns tensors of the graph's size until `dispose`. */
export interface TfPropagation {
  /** The sum over k of weights[k] * Â^k `ego` (He et al. 2020, equations 4 and 8), `[nodeCount, dimension]`. */
  readonly propagate: (ego: Tensor2D) => Tensor2D;
  readonly dispose: () => void;
}

export function createTfPropagation(
  tf: TensorFlow,
  graph: InteractionGraph,
  weights: readonly number[],
): TfPropagation {
  const { nodeCount, offsets, rootDegrees } = graph;
  const neighbors = tf.tensor1d(graph.neighbors, 'int32');
  const nodeOfEdge = new Int32Array(graph.neighbors.length);
  for (let node = 0; node < nodeCount; node++) nodeOfEdge.fill(node, offsets[node], offsets[node + 1]);
  const nodes = tf.tensor1d(nodeOfEdge, 'int32');
  const scale = tf.tensor2d(
    Float32Array.from(rootDegrees, (root) => 1 / root),
    [nodeCount, 1],
  );
  // In a scope of its own, so that the row of every edge is released as soon as the rows are summed.
  const normalizedProduct = (table: Tensor2D): Tensor2D =>
    tf.tidy(() => {
      const rows = tf.gather(tf.mul(table, scale), neighbors);
      return tf.mul(tf.unsortedSegmentSum(rows, nodes, nodeCount), scale);
    });
  return {
    propagate: (ego) => {
      let layer = ego;
      let sum: Tensor2D = tf.mul(ego, weights[0] ?? 0);
      for (const weight of weights.slice(1)) {
        layer = normalizedProduct(layer);
        sum = tf.add(sum, tf.mul(layer, weight));
      }
      return sum;
    },
    dispose: () => tf.dispose([neighbors, nodes, scale]),
  };
}

/** Ego vectors and what they propagate to. */
export interface TfTables {
  readonly ego: Tensor2D;
  readonly final: Tensor2D;
}

/** The mean BPR loss of a batch with regularisation, as the reference's `bprGradient` and decay. */
export function tfBprLoss(tf: TensorFlow, tables: TfTables, batch: TripleBatch, regularization: number): Scalar {
  const { users, positives, negatives } = batch;
  const difference = tf.sub(gatherRows(tf, tables.final, positives), gatherRows(tf, tables.final, negatives));
  const margins = tf.sum(tf.mul(gatherRows(tf, tables.final, users), difference), 1);
  const decay = tfDecay(tf, tables.ego, [users, positives, negatives], regularization);
  return tf.add(tf.mean(tf.softplus(tf.neg(margins))), decay);
}

/** The mean softmax loss of a batch with regularisation, as the reference's `softmaxGradient` and decay. */
export function tfSoftmaxLoss(
  tf: TensorFlow,
  tables: TfTables,
  batch: PairBatch,
  settings: SoftmaxSettings & { readonly regularization: number; readonly userCount: number },
): Scalar {
  const count = batch.users.length;
  let sum = tf.scalar(0);
  for (let start = 0; start < count; start += settings.chunkSize) {
    const users = batch.users.subarray(start, start + settings.chunkSize);
    const positives = batch.positives.subarray(start, start + settings.chunkSize);
    sum = tf.add(
      sum,
      tf.tidy(() => tfChunkLoss(tf, tables.final, { users, positives }, settings)),
    );
  }
  const decay = tfDecay(tf, tables.ego, [batch.users, batch.positives], settings.regularization);
  return tf.add(tf.div(sum, count), decay);
}

/** Added to the logits of a user's own items: their exponentials are 0, and it is finite, so that no difference is NaN. */
const OWN_ITEM = -1e30;

/** Length that shorter vectors are taken to have, as in the reference. */
const SHORTEST = 1e-12;

function tfChunkLoss(
  tf: TensorFlow,
  final: Tensor2D,
  { users, positives }: PairBatch,
  settings: SoftmaxSettings & { readonly userCount: number },
): Scalar {
  const { temperature, secondTemperature, itemBias, userCount } = settings;
  const directions = (nodes: Int32Array): Tensor2D => {
    const rows = gatherRows(tf, final, nodes);
    const squares = tf.sum(tf.square(rows), 1, true);
    return tf.div(rows, tf.sqrt(tf.maximum(squares, SHORTEST ** 2)));
  };
  const [queries, items] = [directions(users), directions(positives)];
  const { mask, negativeCounts } = maskOwnItems({ users, positives });
  const bias = tf.tensor1d(Float32Array.from(positives, (node) => itemBias[node - userCount] ?? 0));
  const cosines: Tensor2D = tf.matMul(queries, items, false, true);
  const logits = tf.add(tf.add(tf.div(cosines, temperature), bias), tf.tensor2d(mask, cosines.shape));
  const weights = tf.tensor1d(negativeCounts.map((negatives) => (negatives > 0 ? secondTemperature : 0)));
  const attraction: Tensor1D = tf.div(tf.sum(tf.mul(queries, items), 1), temperature);
  return tf.sum(tf.sub(tf.mul(tf.logSumExp(logits, 1), weights), attraction));
}

/** `mask`, `[pairs, pairs]`: OWN_ITEM where the row's user has the column's item in the chunk, else 0. */
function maskOwnItems({ users, positives }: PairBatch): { mask: Float32Array; negativeCounts: Float32Array } {
  const count = users.length;
  const mask = new Float32Array(count * count);
  const negativeCounts = new Float32Array(count);
  const columnsByItem = Map.groupBy(positives.keys(), (column) => positives[column]);
  for (const rows of Map.groupBy(users.keys(), (row) => users[row]).values()) {
    const own = new Set(rows.flatMap((row) => columnsByItem.get(positives[row]) ?? []));
    for (const row of rows) {
      negativeCounts[row] = count - own.size;
      for (const column of own) mask[row * count + column] = OWN_ITEM;
    }
  }
  return { mask, negativeCounts };
}

/** regularization / 2 times the squared length of the ego vectors of all occurrences, per position. */
function tfDecay(tf: TensorFlow, ego: Tensor2D, nodeLists: readonly Int32Array[], regularization: number): Scalar {
  const lengths = nodeLists.map((nodes): Scalar => tf.sum(tf.square(gatherRows(tf, ego, nodes))));
  return tf.mul(tf.addN(lengths), regularization / 2 / (nodeLists[0]?.length ?? 1));
}

function gatherRows(tf: TensorFlow, table: Tensor2D, nodes: Int32Array): Tensor2D {
  return tf.gather(table, tf.tensor1d(nodes, 'int32'));
}
