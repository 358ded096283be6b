import {
  checkInteractions,
  deduplicateInteractions,
  groupPositionsByUser,
  type InteractionMatrix,
  selectInteractions,
} from './interaction-matrix.ts';
import { nextUint32, seedRandom } from './random.ts';

/** `temporal`: each user's latest interactions are held out. `random`: a random choice of each user's is. */
export type SplitStrategy = 'temporal' | 'random';

/** Shares of the interactions (of each user, where the split is by user), each in [0, 1), together below 1. */
export interface SplitShares {
  readonly validationShare: number;
  readonly testShare: number;
}

export interface SplitOptions extends SplitShares {
  readonly strategy: SplitStrategy;
  readonly seed: number;
}

/** Three matrices of the same user and item rows that share no (user, item) pair. */
export interface InteractionSplit {
  readonly train: InteractionMatrix;
  readonly validation: InteractionMatrix;
  readonly test: InteractionMatrix;
}

/** A user with fewer distinct items than this keeps them all for training: there is nothing to spare. */
const FEWEST_TO_SPLIT = 5;

/**
 * Splits each user's distinct items into train, validation and test; the latest (or, for `random`, any) go to test,
 * those before to validation. Repeats count once, at their first occurrence. Each non-zero share gives a user of at
 * least 5 items at least one held-out item. Equal timestamps are put in an order drawn from `seed`.
 * @throws InteractionDataError when the matrix is not whole; RangeError when the shares leave nothing to train on.
 */
export function splitPerUser(matrix: InteractionMatrix, options: SplitOptions): InteractionSplit {
  const { strategy, validationShare, testShare } = options;
  checkShares(options);
  const distinct = deduplicateInteractions(checkInteractions(matrix));
  const random = seedRandom(options.seed);
  const rank = Uint32Array.from(distinct.userRows, () => nextUint32(random));
  const time = strategy === 'temporal' ? distinct.timestamps : new Float64Array(distinct.timestamps.length);
  const { offsets, positions } = groupPositionsByUser(distinct);
  const parts: Record<keyof InteractionSplit, number[]> = { train: [], validation: [], test: [] };
  for (let user = 0; user < distinct.userCount; user++) {
    const own = positions.slice(offsets[user], offsets[user + 1]);
    own.sort((a, b) => (time[a] ?? 0) - (time[b] ?? 0) || (rank[a] ?? 0) - (rank[b] ?? 0));
    const splits = own.length >= FEWEST_TO_SPLIT;
    const testStart = own.length - (splits ? heldOutCount(own.length, testShare) : 0);
    const validationStart = testStart - (splits ? heldOutCount(own.length, validationShare) : 0);
    own.forEach((position, index) => {
      const part = index >= testStart ? parts.test : index >= validationStart ? parts.validation : parts.train;
      part.push(position);
    });
  }
  return {
    train: selectInteractions(distinct, Int32Array.from(parts.train)),
    validation: selectInteractions(distinct, Int32Array.from(parts.validation)),
    test: selectInteractions(distinct, Int32Array.from(parts.test)),
  };
}

function heldOutCount(total: number, share: number): number {
  return share === 0 ? 0 : Math.max(1, Math.floor(total * share));
}

/** @throws RangeError when the shares are negative or leave nothing to train on. */
export function checkShares({ validationShare, testShare }: SplitShares): void {
  if (!(validationShare >= 0 && testShare >= 0 && validationShare + testShare < 1)) {
    throw new RangeError(`Held-out shares must be >= 0 and sum to below 1, got ${validationShare} and ${testShare}.`);
  }
}
