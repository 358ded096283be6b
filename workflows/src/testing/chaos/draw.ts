import { nextUint32, type RandomState } from '@kindred/core/random';

/** A whole number from `low` to `high`, both included. */
export function between(random: RandomState, low: number, high: number): number {
  return low + Math.floor((nextUint32(random) / 2 ** 32) * (high - low + 1));
}
