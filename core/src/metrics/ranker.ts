/** Ranks by inner product: `[users, dimension]` and `[items, dimension]`. */
export interface VectorRanker {
  readonly userVectors: Float32Array;
  readonly itemVectors: Float32Array;
  readonly dimension: number;
}

/** What ranks the items: inner products of vectors, or one score per item for everybody. */
export type Ranker = VectorRanker | { readonly scores: Float64Array };

/** A model that has scores only: those of `userRows`, `[userRows.length, itemCount]`, which the caller may change. */
export interface ScoringRanker {
  scoreUsers(userRows: Int32Array): Promise<Float32Array>;
}

/** A vector or score is NaN or infinite, so that no ranking exists. */
export class ScoreNotFiniteError extends Error {
  constructor(name: string, position: number) {
    super(`${name}[${position}] is not a finite number.`);
    this.name = 'ScoreNotFiniteError';
  }
}

/**
 * Checks that a ranker is of `userCount` users and `itemCount` items and finite throughout.
 * @throws RangeError; ScoreNotFiniteError
 */
export function checkRanker(ranker: Ranker, userCount: number, itemCount: number): void {
  if ('scores' in ranker) return checkValues('scores', ranker.scores, itemCount);
  const { userVectors, itemVectors, dimension } = ranker;
  if (!(Number.isInteger(dimension) && dimension >= 1)) {
    throw new RangeError(`dimension must be a whole number >= 1, got ${dimension}.`);
  }
  checkValues('userVectors', userVectors, userCount * dimension);
  checkValues('itemVectors', itemVectors, itemCount * dimension);
}

/** @throws RangeError; ScoreNotFiniteError */
export function checkValues(name: string, values: Float32Array | Float64Array, wanted: number): void {
  if (values.length !== wanted) throw new RangeError(`${name} has ${values.length} values, wanted ${wanted}.`);
  // A sum is not finite when a value is not (or when it overflows), and ten times faster to get than findIndex.
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at] as number;
  if (Number.isFinite(sum)) return;
  const position = values.findIndex((value) => !Number.isFinite(value));
  if (position >= 0) throw new ScoreNotFiniteError(name, position);
}
