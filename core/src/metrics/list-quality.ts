import { type EvaluationCase, itemsOf } from './evaluation-case.ts';
import type { TopLists } from './rank-users.ts';

/**
 * How well each list of k items meets the user's held-out items, one value in [0, 1] for each user of the lists, in order.
 * Relevance is binary.
 */
export interface ListQuality {
  /** Hits over all held-out items of the user, as in the LightGCN paper (He et al. 2020) and most of the field. */
  readonly recall: Float64Array;
  /**
   * Sum of 1 / log2(rank + 1) over the hits, divided by that of the ideal list of min(k, held-out) hits
   * (Jarvelin and Kekalainen 2002, with binary gains).
   */
  readonly ndcg: Float64Array;
  /** 1 / rank of the first hit, 0 without one; its mean is MRR (Voorhees 1999). */
  readonly reciprocalRank: Float64Array;
  /**
   * Sum over the hits of the precision at their rank, divided by min(k, held-out); its mean is MAP (Manning, Raghavan and
   * Schutze 2008, section 8.4, cut at k).
   */
  readonly averagePrecision: Float64Array;
  /** 1 with at least one hit, else 0 (Deshpande and Karypis 2004). */
  readonly hit: Float64Array;
}

/** The quality of every list against the held-out items of the case that the lists were made for. */
export function measureLists(
  { cutoff, userRows, itemRows }: TopLists,
  { wanted, itemCount }: EvaluationCase,
): ListQuality {
  const length = userRows.length;
  const quality = {
    recall: new Float64Array(length),
    ndcg: new Float64Array(length),
    reciprocalRank: new Float64Array(length),
    averagePrecision: new Float64Array(length),
    hit: new Float64Array(length),
  };
  const ideals = idealGains(Math.min(cutoff, itemCount));
  const wantedBy = new Int32Array(itemCount).fill(-1);
  userRows.forEach((user, index) => {
    const targets = itemsOf(wanted, user);
    if (targets.length === 0) return;
    for (const item of targets) wantedBy[item] = user;
    let hits = 0;
    let gain = 0;
    let precision = 0;
    for (let rank = 1; rank <= cutoff; rank++) {
      const row = itemRows[index * cutoff + rank - 1] as number;
      if (row < 0) break;
      if (wantedBy[row] !== user) continue;
      hits += 1;
      gain += 1 / Math.log2(rank + 1);
      precision += hits / rank;
      if (hits === 1) quality.reciprocalRank[index] = 1 / rank;
    }
    const most = Math.min(cutoff, targets.length);
    quality.recall[index] = hits / targets.length;
    quality.ndcg[index] = gain / (ideals[most] as number);
    quality.averagePrecision[index] = precision / most;
    quality.hit[index] = hits > 0 ? 1 : 0;
  });
  return quality;
}

/** The gain of a list of n hits and nothing else, for n = 0 .. `most`. */
function idealGains(most: number): Float64Array {
  const gains = new Float64Array(most + 1);
  for (let rank = 1; rank <= most; rank++) gains[rank] = (gains[rank - 1] as number) + 1 / Math.log2(rank + 1);
  return gains;
}

/** The mean; 0 of nothing. */
export function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
