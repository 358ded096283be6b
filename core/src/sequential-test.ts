/** Of `total` trials so many were `hits`. */
export interface Share {
  readonly hits: number;
  readonly total: number;
}

/** How two shares differ, and how surely. */
export interface ShareComparison {
  /** The second share minus the first; 0 while either has no trials. */
  readonly difference: number;
  /**
   * Always valid, range 0-1: whoever looks after every trial, and stops at the first look that is at most `level`, is wrong
   * with at most that probability when there is no difference. A test for one look would be wrong ever more often.
   */
  readonly pValue: number;
}

/** The differences that are looked for, as a standard deviation in units of that of one trial: .1 is 3 % against 5 %. */
const EXPECTED_EFFECT = 0.1;

/**
 * The mixture sequential probability ratio test of two shares (Robbins 1970; Johari, Pekelis and Walsh 2015,
 * arXiv:1512.04922, section 4), two-sided, by the normal approximation with pooled variance. Trials count as independent.
 * @throws RangeError unless 0 <= hits <= total for both.
 */
export function compareShares(first: Share, second: Share): ShareComparison {
  check(first);
  check(second);
  const count = first.total + second.total;
  if (first.total === 0 || second.total === 0) return { difference: 0, pValue: 1 };
  const difference = second.hits / second.total - first.hits / first.total;
  const pooled = (first.hits + second.hits) / count;
  const variance = pooled * (1 - pooled);
  if (variance === 0) return { difference, pValue: 1 };
  const size = (first.total * second.total) / count;
  const gain = size * EXPECTED_EFFECT ** 2;
  const zSquared = (difference ** 2 / variance) * size;
  const logRatio = (zSquared * gain) / (2 * (1 + gain)) - Math.log1p(gain) / 2;
  return { difference, pValue: Math.min(1, Math.exp(-logRatio)) };
}

function check({ hits, total }: Share): void {
  if (hits < 0 || hits > total) throw new RangeError(`Wanted 0 to ${total} hits of ${total} trials, got ${hits}.`);
}
