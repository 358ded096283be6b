import { nthAbsent } from '../nth-absent.ts';
import { nextBelow, type RandomState } from '../random.ts';
import type { TripleBatch } from './backend.ts';
import type { InteractionGraph } from './graph.ts';
import type { NodeTable } from './propagate.ts';

/**
 * One triple for each edge in `edges` (positions in the graph's first `edgeCount` neighbours). The negative is uniform
 * over the items that the user has no edge to: the r-th of them, for one draw r, found by binary search.
 * Every user in question must have at least one such item.
 */
export function sampleTriples(
  graph: InteractionGraph,
  edgeUsers: Int32Array,
  edges: Int32Array,
  random: RandomState,
): TripleBatch {
  const { offsets, neighbors, userCount, itemCount } = graph;
  const users = new Int32Array(edges.length);
  const positives = new Int32Array(edges.length);
  const negatives = new Int32Array(edges.length);
  for (let index = 0; index < edges.length; index++) {
    const edge = edges[index] as number;
    const user = edgeUsers[edge] as number;
    const first = offsets[user] as number;
    const last = offsets[user + 1] as number;
    const rank = nextBelow(random, itemCount - (last - first));
    users[index] = user;
    positives[index] = neighbors[edge] as number;
    negatives[index] = userCount + nthAbsent(neighbors, first, last, userCount, rank);
  }
  return { users, positives, negatives };
}

/** What `bprGradient` reads and where it writes. All tables are `[nodeCount, dimension]`. */
export interface BprTables {
  readonly dimension: number;
  /** The propagated vectors: scored. */
  readonly final: NodeTable;
  /** Receives the gradient of the ranking loss by `final`; overwritten. */
  readonly finalGradient: NodeTable;
}

/** The mean BPR loss of a batch (He et al. 2020, equation 15 without lambda): ln(1 + exp(negative score - positive score)). */
export function bprGradient(tables: BprTables, batch: TripleBatch): number {
  const { dimension, final, finalGradient } = tables;
  finalGradient.fill(0);
  const count = batch.users.length;
  let rankingLoss = 0;
  for (let index = 0; index < count; index++) {
    const user = batch.users[index] as number;
    const positive = batch.positives[index] as number;
    const negative = batch.negatives[index] as number;
    const u = user * dimension;
    const p = positive * dimension;
    const n = negative * dimension;
    let margin = 0;
    for (let column = 0; column < dimension; column++) {
      margin += (final[u + column] as number) * ((final[p + column] as number) - (final[n + column] as number));
    }
    rankingLoss += softplus(-margin);
    const slope = -1 / (1 + Math.exp(margin)) / count;
    for (let column = 0; column < dimension; column++) {
      const userValue = final[u + column] as number;
      const difference = (final[p + column] as number) - (final[n + column] as number);
      finalGradient[u + column] = (finalGradient[u + column] as number) + slope * difference;
      finalGradient[p + column] = (finalGradient[p + column] as number) + slope * userValue;
      finalGradient[n + column] = (finalGradient[n + column] as number) - slope * userValue;
    }
  }
  return rankingLoss / count;
}

/** ln(1 + exp(x)) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
