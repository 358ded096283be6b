/** The mean of measurements and how far they lie apart. */
export interface Spread {
  readonly mean: number;
  /** Sample standard deviation; 0 of a single value. */
  readonly deviation: number;
  readonly values: readonly number[];
}

/** @throws RangeError without values. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('Wanted at least one value, got 0.');
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0, values };
}

/** The middle value, of two the mean. @throws RangeError without values. */
export function medianOf(values: readonly number[]): number {
  const rising = values.toSorted((a, b) => a - b);
  const [low, high] = [rising[(rising.length - 1) >> 1], rising[rising.length >> 1]];
  if (low === undefined || high === undefined) throw new RangeError('Wanted at least one value, got 0.');
  return (low + high) / 2;
}

/** `0.1519`, and with more than one value `0.1519 ±0.0003`. */
export function formatSpread({ mean, deviation, values }: Spread, digits: number): string {
  return values.length > 1 ? `${mean.toFixed(digits)} ±${deviation.toFixed(digits)}` : mean.toFixed(digits);
}

/** For each user the mean over runs, which must have measured the same users. @throws RangeError */
export function meanByUser(runs: readonly Float64Array[]): Float64Array {
  const [first = new Float64Array(0), ...others] = runs;
  const sums = first.slice();
  for (const run of others) {
    if (run.length !== sums.length) {
      throw new RangeError(`Runs must measure the same users, got ${sums.length} and ${run.length}.`);
    }
    run.forEach((value, index) => {
      sums[index] = (sums[index] as number) + value;
    });
  }
  return sums.map((sum) => sum / Math.max(1, runs.length));
}
