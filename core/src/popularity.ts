import { countUsersByItem, type InteractionMatrix } from './interaction-matrix.ts';

/** The popularity baseline: the same scores for every user, `[itemCount]`, the number of training users of each item. */
export function popularityScores(train: InteractionMatrix): Float64Array {
  return Float64Array.from(countUsersByItem(train));
}
