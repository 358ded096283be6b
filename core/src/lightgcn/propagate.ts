import type { InteractionGraph } from './graph.ts';

/** A table of node vectors `[nodeCount, dimension]`, row by row. */
export type NodeTable = Float32Array;

/**
 * A function that writes (1 / (K + 1)) * sum over k = 0..K of Â^k `input` into `output`, where Â is the
 * symmetric-normalised adjacency D^-1/2 A D^-1/2 (He et al. 2020, equations 4 and 8 with alpha = 1 / (K + 1)).
 * The operator is symmetric, so that it maps ego vectors to final vectors and, unchanged, the gradient of the final
 * vectors to the gradient of the ego vectors. Owns two scratch tables; `input` and `output` may be one table.
 */
export function createPropagation(
  graph: InteractionGraph,
  dimension: number,
  layers: number,
): (input: NodeTable, output: NodeTable) => void {
  const { nodeCount, rootDegrees, offsets } = graph;
  const scaledInput = new Float32Array(nodeCount * dimension);
  let current = new Float32Array(nodeCount * dimension);
  let next = new Float32Array(nodeCount * dimension);
  const bases = graph.neighbors.map((node) => node * dimension);
  return (input, output) => {
    // In the basis y = D^-1/2 x a layer is a plain mean over neighbours, so that no edge needs a weight; the sum over
    // layers is evaluated by Horner's rule: y <- y0 + D^-1 A y, K times.
    for (let node = 0; node < nodeCount; node++) {
      const scale = 1 / (rootDegrees[node] ?? 1);
      const end = (node + 1) * dimension;
      for (let at = node * dimension; at < end; at++) scaledInput[at] = (input[at] ?? 0) * scale;
    }
    current.set(scaledInput);
    for (let layer = 0; layer < layers; layer++) {
      addNeighborMeans({ offsets, bases, dimension, start: scaledInput, table: current, output: next });
      [current, next] = [next, current];
    }
    for (let node = 0; node < nodeCount; node++) {
      const scale = (rootDegrees[node] ?? 1) / (layers + 1);
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
  readonly table: NodeTable;
  readonly output: NodeTable;
}

/** output[n] = start[n] + mean over neighbours m of table[m]. Eight columns at a time stay in registers. */
function addNeighborMeans(layer: Layer): void {
  const { offsets, bases, dimension, start, table, output } = layer;
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
      output[to] = (start[to] as number) + s0 * inverse;
      output[to + 1] = (start[to + 1] as number) + s1 * inverse;
      output[to + 2] = (start[to + 2] as number) + s2 * inverse;
      output[to + 3] = (start[to + 3] as number) + s3 * inverse;
      output[to + 4] = (start[to + 4] as number) + s4 * inverse;
      output[to + 5] = (start[to + 5] as number) + s5 * inverse;
      output[to + 6] = (start[to + 6] as number) + s6 * inverse;
      output[to + 7] = (start[to + 7] as number) + s7 * inverse;
    }
    for (let column = blocked; column < dimension; column++) {
      let sum = 0;
      for (let edge = first; edge < last; edge++) sum += table[(bases[edge] as number) + column] as number;
      output[own + column] = (start[own + column] as number) + sum * inverse;
    }
  }
}
