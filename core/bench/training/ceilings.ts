import type { InteractionGraph } from '../../src/lightgcn/graph.ts';
import { loadLightGcnAddon } from '../../src/lightgcn/native-addon.ts';
import { nextBelow, seedRandom } from '../../src/random.ts';

/** What bounds the speed of propagation: bytes per second that threads read with no other work. */
export interface Ceilings {
  /** Of the rows that propagation reads, in its order; null for a GPU. */
  readonly ownRows: number | null;
  /** Of as many rows drawn uniformly; null for a GPU. */
  readonly uniformRows: number | null;
  /** STREAM's triad over arrays four times as large as the last cache, or too long for a GPU's. */
  readonly triad: number;
}

/**
 * The rows that one propagation layer reads, in its order: nodes by falling degree, users first, and of each the neighbours
 * by rising row (as core/native/lightgcn-trainer.cc numbers them).
 */
export function rowsInOrder({ userCount, nodeCount, offsets, neighbors }: InteractionGraph): Int32Array {
  const degree = (node: number) => (offsets[node + 1] as number) - (offsets[node] as number);
  const nodes = Int32Array.from({ length: nodeCount }, (_, node) => node);
  for (const side of [nodes.subarray(0, userCount), nodes.subarray(userCount)]) {
    side.sort((a, b) => degree(b) - degree(a) || a - b);
  }
  const rowOf = new Int32Array(nodeCount);
  nodes.forEach((node, row) => {
    rowOf[node] = row;
  });
  const rows = new Int32Array(neighbors.length);
  let length = 0;
  for (const node of nodes) {
    const own = neighbors.slice(offsets[node], offsets[node + 1]).map((neighbor) => rowOf[neighbor] as number);
    rows.set(
      own.toSorted((a, b) => a - b),
      length,
    );
    length += own.length;
  }
  return rows;
}

/** Measures the ceilings of a graph, again at each call; null where the addon is not built. */
export function createCeilings(
  graph: InteractionGraph,
  settings: { readonly dimension: number; readonly threads: number; readonly lastLevelCacheBytes: number },
): (() => Ceilings) | null {
  const { addon } = loadLightGcnAddon();
  if (!addon) return null;
  const ownRows = rowsInOrder(graph);
  const random = seedRandom(1);
  const uniformRows = ownRows.map(() => nextBelow(random, graph.nodeCount));
  const rate = (rows: Int32Array) =>
    addon.measureRowBandwidth(graph.nodeCount, rowFloats(settings.dimension), rows, settings.threads);
  return () => ({
    ownRows: rate(ownRows),
    uniformRows: rate(uniformRows),
    triad: addon.measureStreamBandwidth(settings.lastLevelCacheBytes, settings.threads),
  });
}

/** Floats of a padded row. */
export function rowFloats(dimension: number): number {
  return Math.ceil(dimension / 16) * 16;
}
