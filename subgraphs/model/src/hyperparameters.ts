import type { Hyperparameters } from '@kindred/domain/training';
import type { HyperparametersInput, UserError } from './generated/resolvers.ts';

interface Range {
  /** What is wanted, in words that go behind "wanted". */
  wanted: string;
  accepts: (value: number) => boolean;
}

const between = (low: number, high: number): Range => ({
  wanted: `${low.toLocaleString('en')} to ${high.toLocaleString('en')}`,
  accepts: (value) => value >= low && value <= high,
});

/** The ranges that schema.graphql states for `HyperparametersInput`. */
const RANGES: Record<keyof Hyperparameters, Range> = {
  dimension: between(4, 512),
  layers: between(0, 8),
  learningRate: { wanted: 'above 0 and at most 1', accepts: (value) => value > 0 && value <= 1 },
  regularization: between(0, 1),
  batchSize: between(1, 65_536),
  epochs: between(1, 1_000),
  patience: between(1, 1_000),
  seed: between(0, 2 ** 31 - 1),
};

/** `base` with what `input` says otherwise, and an error for every value outside its range. */
export function mergeHyperparameters(
  base: Hyperparameters,
  input: HyperparametersInput | null | undefined,
): { hyperparameters: Hyperparameters; userErrors: UserError[] } {
  const hyperparameters = { ...base };
  const userErrors: UserError[] = [];
  for (const name of Object.keys(RANGES) as (keyof Hyperparameters)[]) {
    const value = input?.[name];
    if (value == null) {
      continue;
    }
    hyperparameters[name] = value;
    if (!RANGES[name].accepts(value)) {
      const message = `${name} must be ${RANGES[name].wanted}, got ${value}.`;
      userErrors.push({ code: 'INVALID', message, path: ['hyperparameters', name] });
    }
  }
  return { hyperparameters, userErrors };
}
