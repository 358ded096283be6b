/** The value below which a share of ascending values lies; 0 without any. */
export function quantile(ascending: readonly number[] | Float64Array, share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? 0;
}

/** The middle one of values in any order; 0 without any. */
export function median(values: readonly number[]): number {
  return quantile(Float64Array.from(values).toSorted(), 0.5);
}
