import type { ItemLists } from '../interaction-matrix.ts';
import { scoreItems, topRows } from '../scoring.ts';
import { itemsOf } from './evaluation-case.ts';
import type { VectorRanker } from './ranker.ts';

/**
 * The best `cutoff` items for each of `userRows` without those that the user knows, `[userRows.length, cutoff]`, best first,
 * equal scores by row, -1 where there are no more. Scores are float64 sums in index order: what native code must equal.
 */
export function rankByReference(
  { userVectors, itemVectors, dimension }: VectorRanker,
  userRows: Int32Array,
  known: ItemLists,
  cutoff: number,
): Int32Array {
  const scores = new Float64Array(itemVectors.length / dimension);
  const query = new Float64Array(dimension);
  const rows = new Int32Array(userRows.length * cutoff).fill(-1);
  userRows.forEach((user, index) => {
    query.set(userVectors.subarray(user * dimension, (user + 1) * dimension));
    scoreItems(itemVectors, query, scores);
    for (const item of itemsOf(known, user)) scores[item] = Number.NEGATIVE_INFINITY;
    rows.set(topRows(scores, cutoff), index * cutoff);
  });
  return rows;
}
