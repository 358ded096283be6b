/**
 * Of the whole numbers from 0 that are not in a list, ascending, the one at place `rank`. The list is `values[from .. to)`
 * less `shift` each, ascending and without repeats.
 */
export function nthAbsent(values: Int32Array, from: number, to: number, shift: number, rank: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) - shift - (middle - from) > rank) high = middle;
    else low = middle + 1;
  }
  return rank + low - from;
}
