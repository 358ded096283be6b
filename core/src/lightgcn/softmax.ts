import { scoreItems } from '../scoring.ts';
import type { PairBatch, SoftmaxSettings } from './backend.ts';
import type { NodeTable } from './propagate.ts';

/** What `softmaxGradient` reads and where it writes. Tables are `[nodeCount, dimension]`. */
export interface SoftmaxTables {
  readonly dimension: number;
  readonly userCount: number;
  /** The propagated vectors, compared by cosine. */
  readonly final: NodeTable;
  /** Receives the gradient of the loss by `final`; overwritten. */
  readonly finalGradient: NodeTable;
}

/**
 * The mean softmax loss of a batch cut into chunks: for the pair (u, i) of a chunk whose items other than those of u
 * are i_1 .. i_n (repeats count), with cosines c, temperature t, second temperature s and item bias b,
 *
 *     -c(u, i) / t + s * ln(sum over j of exp(c(u, i_j) / t + b(i_j)))
 *
 * without the second part where n = 0.
 * Pairs of one user and repeats of one item are computed once and counted as often as they occur. float64 sums.
 */
export function softmaxGradient(tables: SoftmaxTables, batch: PairBatch, settings: SoftmaxSettings): number {
  const { dimension, final, finalGradient } = tables;
  finalGradient.fill(0);
  const directions = normalizeBatch(tables, batch);
  const count = batch.users.length;
  let loss = 0;
  for (let start = 0; start < count; start += settings.chunkSize) {
    const end = Math.min(count, start + settings.chunkSize);
    const users = batch.users.subarray(start, end);
    const positives = batch.positives.subarray(start, end);
    loss += chunkGradient({ ...tables, final: directions, ...settings, count }, { users, positives });
  }
  // From the gradient by the direction x / |x| to that by x: its part across x, over |x|.
  for (const node of new Set([...batch.users, ...batch.positives])) {
    const from = node * dimension;
    let squares = 0;
    let along = 0;
    for (let at = from; at < from + dimension; at++) {
      squares += (final[at] as number) ** 2;
      along += (finalGradient[at] as number) * (directions[at] as number);
    }
    const inverse = 1 / Math.max(SHORTEST, Math.sqrt(squares));
    for (let at = from; at < from + dimension; at++) {
      finalGradient[at] = ((finalGradient[at] as number) - along * (directions[at] as number)) * inverse;
    }
  }
  return loss / count;
}

/** Length that shorter vectors are taken to have. */
const SHORTEST = 1e-12;

/** The final vectors of the batch's nodes at length 1, other rows zero. */
function normalizeBatch({ dimension, final }: SoftmaxTables, batch: PairBatch): NodeTable {
  const directions = new Float32Array(final.length);
  for (const nodes of [batch.users, batch.positives]) {
    for (const node of nodes) {
      const from = node * dimension;
      let squares = 0;
      for (let at = from; at < from + dimension; at++) squares += (final[at] as number) ** 2;
      const inverse = 1 / Math.max(SHORTEST, Math.sqrt(squares));
      for (let at = from; at < from + dimension; at++) directions[at] = (final[at] as number) * inverse;
    }
  }
  return directions;
}

/** The summed loss of one chunk; adds its gradient by the directions (`final` here), over `count`, to `finalGradient`. */
function chunkGradient(chunk: SoftmaxTables & SoftmaxSettings & { readonly count: number }, batch: PairBatch): number {
  const { dimension, final: directions, finalGradient, temperature, count } = chunk;
  const positivesByUser = Map.groupBy(batch.positives.keys(), (index) => batch.users[index] as number);
  const { nodes, places, vectors, biases } = gatherItems(chunk, batch.positives);
  const itemGradients = new Float64Array(vectors.length);
  const scores = new Float64Array(nodes.length);
  const gradient = new Float64Array(dimension);
  let loss = 0;
  for (const [user, indices] of positivesByUser) {
    const query = Float64Array.from(directions.subarray(user * dimension, (user + 1) * dimension));
    scoreItems(vectors, query, scores);
    for (const index of indices) scores[places.get(batch.positives[index] as number) ?? 0] = Number.NEGATIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    for (let item = 0; item < scores.length; item++) {
      const logit = (scores[item] as number) / temperature + (biases[item] as number);
      scores[item] = logit;
      if (logit > highest) highest = logit;
    }
    const itemCount = highest > Number.NEGATIVE_INFINITY ? scores.length : 0;
    let sum = 0;
    for (let item = 0; item < itemCount; item++) {
      const exponential = Math.exp((scores[item] as number) - highest);
      scores[item] = exponential;
      sum += exponential;
    }
    if (itemCount > 0) loss += indices.length * chunk.secondTemperature * (Math.log(sum) + highest);
    const weight = (chunk.secondTemperature * indices.length) / (temperature * count * sum);
    gradient.fill(0);
    for (let item = 0; item < itemCount; item++) {
      const share = weight * (scores[item] as number);
      const from = item * dimension;
      for (let column = 0; column < dimension; column++) {
        gradient[column] = (gradient[column] as number) + share * (vectors[from + column] as number);
        itemGradients[from + column] = (itemGradients[from + column] as number) + share * (query[column] as number);
      }
    }
    for (const index of indices) {
      const from = (batch.positives[index] as number) * dimension;
      for (let column = 0; column < dimension; column++) {
        const own = query[column] as number;
        const other = directions[from + column] as number;
        loss -= (own * other) / temperature;
        gradient[column] = (gradient[column] as number) - other / (temperature * count);
        finalGradient[from + column] = (finalGradient[from + column] as number) - own / (temperature * count);
      }
    }
    addTo(finalGradient, user * dimension, gradient);
  }
  nodes.forEach((node, item) =>
    addTo(finalGradient, node * dimension, itemGradients.subarray(item * dimension, (item + 1) * dimension)),
  );
  return loss;
}

/** The distinct items of a chunk: nodes, directions, and biases with the logarithm of how often each occurs. */
function gatherItems(
  { dimension, final, userCount, itemBias }: SoftmaxTables & SoftmaxSettings,
  positives: Int32Array,
): { nodes: number[]; places: Map<number, number>; vectors: Float32Array; biases: Float64Array } {
  const occurrences = new Map<number, number>();
  for (const node of positives) occurrences.set(node, (occurrences.get(node) ?? 0) + 1);
  const nodes = [...occurrences.keys()];
  const vectors = new Float32Array(nodes.length * dimension);
  nodes.forEach((node, item) =>
    vectors.set(final.subarray(node * dimension, (node + 1) * dimension), item * dimension),
  );
  const biases = Float64Array.from(
    nodes,
    (node) => Math.log(occurrences.get(node) ?? 1) + (itemBias[node - userCount] ?? 0),
  );
  const places = new Map(nodes.map((node, item) => [node, item]));
  return { nodes, places, vectors, biases };
}

function addTo(table: NodeTable, from: number, values: Float64Array): void {
  for (let column = 0; column < values.length; column++) {
    table[from + column] = (table[from + column] as number) + (values[column] as number);
  }
}
