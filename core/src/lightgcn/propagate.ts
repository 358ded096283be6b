import type { InteractionGraph } from './graph.ts';

/** A table of node vectors `[nodeCount, dimension]`, row by row. */
export type NodeTable = Float32Array;

/** The weights alpha_0 .. alpha_K of the layers in the final vector: the mean over `outputLayers`, K the deepest of them. */
export function layerWeights(outputLayers: readonly number[]): number[] {
  const weights = Array.from({ length: Math.max(...outputLayers) + 1 }, () => 0);
  for (const layer of outputLayers) weights[layer] = 1 / outputLayers.length;
  return weights;
}

/**
 * A function that writes the sum over k = 0..K of weights[k] * Â^k `input` into `output`, where Â is the
 * symmetric-normalised adjacency D^-1/2 A D^-1/2 (He et al. 2020, equations 4 and 8).
 * The operator is symmetric, so that it maps ego vectors to final vectors and, unchanged, the gradient of the final
 * vectors to the gradient of the ego vectors. Owns two scratch tables; `input` and `output` may be one table.
 */
export function createPropagation(
  graph: InteractionGraph,
  dimension: number,
  weights: readonly number[],
): (input: NodeTable, output: NodeTable) => void {
  const { nodeCount, rootDegrees, offsets } = graph;
  const scaledInput = new Float32Array(nodeCount * dimension);
  let current = new Float32Array(nodeCount * dimension);
  let next = new Float32Array(nodeCount * dimension);
  const deepest = weights.length - 1;
  const bases = graph.neighbors.map((node) => node * dimension);
  return (input, output) => {
    // In the basis y = D^-1/2 x a layer is a plain mean over neighbours, so that no edge needs a weight; the sum over
    // layers is evaluated by Horner's rule: y <- weights[k] y0 + D^-1 A y, for k = K - 1 .. 0.
    for (let node = 0; node < nodeCount; node++) {
      const scale = 1 / (rootDegrees[node] ?? 1);
      const end = (node + 1) * dimension;
      for (let at = node * dimension; at < end; at++) scaledInput[at] = (input[at] ?? 0) * scale;
    }
    for (let at = 0; at < current.length; at++)
      current[at] = (scaledInput[at] as number) * (weights[deepest] as number);
    for (let layer = deepest - 1; layer >= 0; layer--) {
      const own = weights[layer] as number;
      addNeighborMeans({ offsets, bases, dimension, start: scaledInput, own, table: current, output: next });
      [current, next] = [next, current];
    }
    for (let node = 0; node < nodeCount; node++) {
      const scale = rootDegrees[node] ?? 1;
      const end = (node + 1) * dimension;
      for (let at = node * dimension; at < end; at++) output[at] = (current[at] ?? 0) * scale;
    }
  };
}

interface Layer {
  readonly offsets: Int32Array;
  /** Row starts of the neighbours within `table`. */
  readonly bases: Int32Array;
  readonly dimension: number;
  readonly start: NodeTable;
  readonly own: number;
  readonly table: NodeTable;
  readonly output: NodeTable;
}

/** output[n] = own * start[n] + mean over neighbours m of table[m]. Eight columns at a time stay in registers. */
function addNeighborMeans(layer: Layer): void {
  const { offsets, bases, dimension, start, own: ownWeight, table, output } = layer;
  const nodeCount = offsets.length - 1;
  const blocked = dimension - (dimension % 8);
  for (let node = 0; node < nodeCount; node++) {
    const first = offsets[node] as number;
    const last = offsets[node + 1] as number;
    const inverse = last > first ? 1 / (last - first) : 0;
    const own = node * dimension;
    for (let column = 0; column < blocked; column += 8) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let s4 = 0;
      let s5 = 0;
      let s6 = 0;
      let s7 = 0;
      for (let edge = first; edge < last; edge++) {
        const at = (bases[edge] as number) + column;
        s0 += table[at] as number;
        s1 += table[at + 1] as number;
        s2 += table[at + 2] as number;
        s3 += table[at + 3] as number;
        s4 += table[at + 4] as number;
        s5 += table[at + 5] as number;
        s6 += table[at + 6] as number;
        s7 += table[at + 7] as number;
      }
      const to = own + column;
      output[to] = ownWeight * (start[to] as number) + s0 * inverse;
      output[to + 1] = ownWeight * (start[to + 1] as number) + s1 * inverse;
      output[to + 2] = ownWeight * (start[to + 2] as number) + s2 * inverse;
      output[to + 3] = ownWeight * (start[to + 3] as number) + s3 * inverse;
      output[to + 4] = ownWeight * (start[to + 4] as number) + s4 * inverse;
      output[to + 5] = ownWeight * (start[to + 5] as number) + s5 * inverse;
      output[to + 6] = ownWeight * (start[to + 6] as number) + s6 * inverse;
      output[to + 7] = ownWeight * (start[to + 7] as number) + s7 * inverse;
    }
    for (let column = blocked; column < dimension; column++) {
      let sum = 0;
      for (let edge = first; edge < last; edge++) sum += table[(bases[edge] as number) + column] as number;
      output[own + column] = ownWeight * (start[own + column] as number) + sum * inverse;
    }
  }
}
