import type { EvaluationCase } from './evaluation-case.ts';
import type { TopLists } from './rank-users.ts';

/** What the lists of all users together show of the catalogue; all 0 without a single listed item. */
export interface Exposure {
  /** Share of all items that stand in at least one list (catalogue coverage: Ge, Delgado-Battenfeld and Jannach 2010). */
  readonly coverage: number;
  /**
   * Gini index of how often each item of the catalogue is listed: 0 when all equally, 1 when one item has every place
   * (Gunawardana and Shani 2015: sum of (2 j - n - 1) p_j / (n - 1), p rising).
   */
  readonly gini: number;
  /**
   * Mean over the listed places of -log2(share of the users who have the item in training): the self-information of
   * Zhou et al. 2010, in bits. An item that nobody has counts as one that one user has.
   */
  readonly novelty: number;
  /** Mean over the users of the mean number of training users of the items in the list (Yin et al. 2012). */
  readonly averagePopularity: number;
}

/** The exposure that `lists` give to the items of their case. */
export function measureExposure({ cutoff, itemRows }: TopLists, data: EvaluationCase): Exposure {
  const { itemCount, popularity, userCount } = data;
  const places = new Float64Array(itemCount);
  let listCount = 0;
  let popularitySum = 0;
  for (let start = 0; start < itemRows.length; start += cutoff) {
    let length = 0;
    let sum = 0;
    for (; length < cutoff && (itemRows[start + length] as number) >= 0; length++) {
      const item = itemRows[start + length] as number;
      places[item] = (places[item] as number) + 1;
      sum += popularity[item] as number;
    }
    if (length === 0) continue;
    listCount += 1;
    popularitySum += sum / length;
  }
  let placeCount = 0;
  let listed = 0;
  let information = 0;
  places.forEach((count, item) => {
    if (count === 0) return;
    placeCount += count;
    listed += 1;
    information += count * -Math.log2(Math.max(1, popularity[item] as number) / userCount);
  });
  return {
    coverage: listed / Math.max(1, itemCount),
    gini: giniIndex(places),
    novelty: information / Math.max(1, placeCount),
    averagePopularity: popularitySum / Math.max(1, listCount),
  };
}

/** The Gini index of values >= 0, in [0, 1]; 0 for fewer than two values or when all are 0. */
export function giniIndex(values: Float64Array): number {
  const rising = values.toSorted();
  const sum = rising.reduce((total, value) => total + value, 0);
  if (rising.length < 2 || sum === 0) return 0;
  const weighted = rising.reduce((total, value, index) => total + (2 * (index + 1) - rising.length - 1) * value, 0);
  return weighted / ((rising.length - 1) * sum);
}
