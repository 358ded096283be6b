import {
  checkInteractions,
  deduplicateInteractions,
  type InteractionMatrix,
  selectInteractions,
} from './interaction-matrix.ts';
import { checkShares, type InteractionSplit, type SplitShares } from './split.ts';

/** A split at two points in time, in epoch milliseconds; null where that part is empty. */
export interface GlobalSplit extends InteractionSplit {
  /** First instant of the validation part and of the test part. */
  readonly validationStart: number | null;
  readonly testStart: number | null;
}

/**
 * Splits all distinct interactions at points in time that are the same for everybody, as a model in use meets them: what is
 * trained on lies wholly before what is validated on, and that before the test (Meng et al. 2020, "temporal global split").
 * Repeats count once, at their first occurrence. A part takes as many whole instants from the end as fit into its share of
 * the interactions, which may be none. Users may have test interactions only.
 * @throws InteractionDataError when the matrix is not whole; RangeError when the shares leave nothing to train on.
 */
export function splitGlobally(matrix: InteractionMatrix, shares: SplitShares): GlobalSplit {
  checkShares(shares);
  const distinct = deduplicateInteractions(checkInteractions(matrix));
  const { timestamps } = distinct;
  const order = Int32Array.from(timestamps.keys()).toSorted(
    (a, b) => (timestamps[a] as number) - (timestamps[b] as number) || a - b,
  );
  const timeAt = (place: number) => timestamps[order[place] as number] as number;
  const startOf = (end: number, share: number) => {
    let start = end - Math.floor(share * order.length + 1e-9);
    while (start > 0 && start < end && timeAt(start) === timeAt(start - 1)) start++;
    return start;
  };
  const testStart = startOf(order.length, shares.testShare);
  const validationStart = startOf(testStart, shares.validationShare);
  const part = (from: number, to: number) =>
    selectInteractions(
      distinct,
      order.slice(from, to).toSorted((a, b) => a - b),
    );
  return {
    train: part(0, validationStart),
    validation: part(validationStart, testStart),
    test: part(testStart, order.length),
    validationStart: validationStart < testStart ? timeAt(validationStart) : null,
    testStart: testStart < order.length ? timeAt(testStart) : null,
  };
}
