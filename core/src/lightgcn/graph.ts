import { type InteractionMatrix, listItemsByUser } from '../interaction-matrix.ts';

/**
 * The bipartite graph of distinct interactions in CSR form. Node n < userCount is user n, node userCount + i is item i;
 * the neighbours of node n are `neighbors[offsets[n] .. offsets[n + 1])`, ascending.
 */
export interface InteractionGraph {
  readonly userCount: number;
  readonly itemCount: number;
  readonly nodeCount: number;
  /** Distinct (user, item) pairs; every pair stands twice in `neighbors`. */
  readonly edgeCount: number;
  readonly offsets: Int32Array;
  readonly neighbors: Int32Array;
  /** Square root of each node's degree, 1 for a node without neighbours. */
  readonly rootDegrees: Float64Array;
}

/** The graph of the distinct pairs of `matrix`; weights and times do not count. */
export function buildGraph(matrix: InteractionMatrix): InteractionGraph {
  const { userCount, itemCount } = matrix;
  const lists = listItemsByUser(matrix);
  const edgeCount = lists.items.length;
  const nodeCount = userCount + itemCount;
  const offsets = new Int32Array(nodeCount + 1);
  offsets.set(lists.offsets);
  for (const item of lists.items) {
    const slot = userCount + item + 1;
    offsets[slot] = (offsets[slot] ?? 0) + 1;
  }
  for (let node = userCount; node < nodeCount; node++)
    offsets[node + 1] = (offsets[node + 1] ?? 0) + (offsets[node] ?? 0);
  const neighbors = new Int32Array(edgeCount * 2);
  const next = offsets.slice();
  for (let user = 0; user < userCount; user++) {
    for (let edge = lists.offsets[user] ?? 0; edge < (lists.offsets[user + 1] ?? 0); edge++) {
      const item = userCount + (lists.items[edge] ?? 0);
      neighbors[edge] = item;
      const slot = next[item] ?? 0;
      neighbors[slot] = user;
      next[item] = slot + 1;
    }
  }
  const rootDegrees = new Float64Array(nodeCount);
  for (let node = 0; node < nodeCount; node++) {
    rootDegrees[node] = Math.sqrt(Math.max(1, (offsets[node + 1] ?? 0) - (offsets[node] ?? 0)));
  }
  return { userCount, itemCount, nodeCount, edgeCount, offsets, neighbors, rootDegrees };
}
