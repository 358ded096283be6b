/**
 * LightGCN once more, slow and obvious: float64, a dense normalised adjacency, matrix powers, and gradients by central
 * differences, so that nothing of the hand-derived backward pass is shared. For graphs of a few dozen nodes.
 */

/** A small LightGCN: `pairs` are distinct (user row, item row) edges. */
export interface DenseModel {
  readonly userCount: number;
  readonly itemCount: number;
  readonly pairs: readonly (readonly [user: number, item: number])[];
  readonly layers: number;
  /** Default all. */
  readonly outputLayers?: readonly number[];
  readonly dimension: number;
  readonly regularization: number;
}

/** Node numbers as in the graph: users first. */
export type Triple = readonly [user: number, positive: number, negative: number];

/** A model with its `denseOperator` and the triples of one step. */
export interface DenseProblem {
  readonly model: DenseModel;
  readonly operator: number[][];
  readonly batch: readonly Triple[];
}

/** Node numbers: a user and an item of the user. */
export type Pair = readonly [user: number, positive: number];

/** A step of the softmax loss: each chunk of pairs has the chunk's items as negatives, save for the users who have them there. */
export interface DenseSoftmaxProblem {
  readonly model: DenseModel;
  readonly operator: number[][];
  readonly chunks: readonly (readonly Pair[])[];
  readonly temperature: number;
  readonly secondTemperature: number;
  /** By item row. */
  readonly itemBias: readonly number[];
}

/** The mean of the output layers' Â^k, `[nodeCount][nodeCount]`. */
export function denseOperator(model: DenseModel): number[][] {
  const nodeCount = model.userCount + model.itemCount;
  const zero = () => Array.from({ length: nodeCount }, () => Array.from({ length: nodeCount }, () => 0));
  const adjacency = zero();
  for (const [user, item] of model.pairs) {
    at(adjacency, user)[model.userCount + item] = 1;
    at(adjacency, model.userCount + item)[user] = 1;
  }
  const degree = adjacency.map((row) => row.reduce((sum, value) => sum + value, 0));
  const normalised = adjacency.map((row, i) =>
    row.map((value, j) => (value === 0 ? 0 : value / Math.sqrt(at(degree, i) * at(degree, j)))),
  );
  const outputs = model.outputLayers ?? Array.from({ length: model.layers + 1 }, (_, layer) => layer);
  let power: number[][] = zero().map((row, i) => row.map((_, j) => (i === j ? 1 : 0)));
  let sum = zero();
  for (let layer = 0; layer <= model.layers; layer++) {
    const share = outputs.includes(layer) ? 1 / outputs.length : 0;
    sum = sum.map((row, i) => row.map((value, j) => value + share * at(at(power, i), j)));
    power = multiply(normalised, power);
  }
  return sum;
}

/** Mean BPR loss with the paper's regularisation, of ego vectors `[nodeCount * dimension]`. */
export function denseLoss({ model, operator, batch }: DenseProblem, ego: Float64Array): number {
  const { dimension, regularization } = model;
  const final = propagate(operator, ego, dimension);
  let total = 0;
  for (const triple of batch) {
    const [user, positive, negative] = triple;
    const margin = dot(at(final, user), at(final, positive)) - dot(at(final, user), at(final, negative));
    total += Math.log(1 + Math.exp(-margin)) + (regularization / 2) * squaredLengths(triple, ego, dimension);
  }
  return total / batch.length;
}

/** Mean softmax loss over cosines with the same regularisation, written pair by pair. */
export function denseSoftmaxLoss(problem: DenseSoftmaxProblem, ego: Float64Array): number {
  const { model, temperature, itemBias } = problem;
  const final = propagate(problem.operator, ego, model.dimension);
  const cosine = (a: number[], b: number[]) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  let total = 0;
  for (const chunk of problem.chunks) {
    for (const pair of chunk) {
      const [user, positive] = pair;
      const own = new Set(chunk.filter(([other]) => other === user).map(([, item]) => item));
      const sum = chunk.reduce((before, [, item]) => {
        if (own.has(item)) return before;
        const logit = cosine(at(final, user), at(final, item)) / temperature + at(itemBias, item - model.userCount);
        return before + Math.exp(logit);
      }, 0);
      total += (sum > 0 ? problem.secondTemperature * Math.log(sum) : 0) - cosine(at(final, user), at(final, positive)) / temperature;
      total += (model.regularization / 2) * squaredLengths(pair, ego, model.dimension);
    }
  }
  return total / problem.chunks.flat().length;
}

function propagate(operator: number[][], ego: Float64Array, dimension: number): number[][] {
  return operator.map((row) =>
    Array.from({ length: dimension }, (_, column) =>
      row.reduce((sum, weight, node) => sum + weight * (ego[node * dimension + column] ?? 0), 0),
    ),
  );
}

function dot(a: number[], b: number[]): number {
  return a.reduce((sum, value, index) => sum + value * at(b, index), 0);
}

function squaredLengths(nodes: readonly number[], ego: Float64Array, dimension: number): number {
  return nodes.reduce((sum, node) => {
    const own = Array.from(ego.subarray(node * dimension, (node + 1) * dimension));
    return sum + dot(own, own);
  }, 0);
}

/** The gradient of a loss by every ego value, by central differences. */
export function differenceGradient(lossAt: (ego: Float64Array) => number, ego: Float64Array): Float64Array {
  const step = 1e-5;
  const probe = ego.slice();
  return ego.map((value, index) => {
    probe[index] = value + step;
    const above = lossAt(probe);
    probe[index] = value - step;
    const below = lossAt(probe);
    probe[index] = value;
    return (above - below) / (2 * step);
  });
}

/** Adam as in Kingma and Ba 2015, algorithm 1, in float64. */
export function createDenseAdam(size: number, learningRate: number): (ego: Float64Array, gradient: Float64Array) => void {
  const first = new Float64Array(size);
  const second = new Float64Array(size);
  let step = 0;
  return (ego, gradient) => {
    step += 1;
    for (let index = 0; index < size; index++) {
      const slope = gradient[index] ?? 0;
      first[index] = 0.9 * (first[index] ?? 0) + 0.1 * slope;
      second[index] = 0.999 * (second[index] ?? 0) + 0.001 * slope ** 2;
      const firstHat = (first[index] ?? 0) / (1 - 0.9 ** step);
      const secondHat = (second[index] ?? 0) / (1 - 0.999 ** step);
      ego[index] = (ego[index] ?? 0) - (learningRate * firstHat) / (Math.sqrt(secondHat) + 1e-8);
    }
  };
}

function multiply(a: number[][], b: number[][]): number[][] {
  return a.map((row) => b.map((_, j) => row.reduce((sum, value, k) => sum + value * at(at(b, k), j), 0)));
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`Index ${index} is outside [0, ${values.length}).`);
  return value;
}
