import type { ItemLists } from '../interaction-matrix.ts';
import type { LinearAlgebra } from './linear-algebra.ts';
import { factorCholesky, solveFactored } from './reference-algebra.ts';

/** How a user vector follows from item vectors that stay as they are. */
export interface FoldInProblem {
  /** `[itemCount, dimension]`. */
  readonly items: Float32Array;
  readonly dimension: number;
  /** As in `LeastSquares`. */
  readonly unobserved: number;
  readonly regularization: number;
  readonly exponent: number;
}

/** The user vectors that fit the histories best, `[histories, dimension]`; 0 for an empty one. */
export async function foldInLeastSquares(
  { items, dimension, unobserved, regularization, exponent }: FoldInProblem,
  histories: ItemLists,
  algebra: LinearAlgebra,
): Promise<Float32Array> {
  const out = new Float32Array((histories.offsets.length - 1) * dimension);
  await algebra.solveLeastSquares({
    offsets: histories.offsets,
    indices: histories.items,
    fixed: items,
    dimension,
    out,
    unobserved,
    regularization,
    exponent,
  });
  return out;
}

/**
 * What each item of one history adds to its user vector, `[items, dimension]`: the vector is A^-1 times the sum of the
 * item vectors, A from the history as a whole (Hu, Koren and Volinsky 2008, section 5).
 */
export async function leastSquaresParts(
  problem: FoldInProblem,
  history: Int32Array,
  algebra: LinearAlgebra,
): Promise<Float32Array> {
  const { items, dimension, unobserved, regularization, exponent } = problem;
  const itemCount = items.length / dimension;
  const gram = new Float32Array(dimension * dimension);
  await algebra.multiply({
    a: items,
    b: items,
    c: gram,
    rows: dimension,
    columns: dimension,
    depth: itemCount,
    transposeA: true,
    alpha: unobserved,
  });
  const matrix = Float64Array.from(gram);
  for (const item of history) {
    const own = items.subarray(item * dimension, (item + 1) * dimension);
    for (let i = 0; i < dimension; i++) {
      for (let j = 0; j <= i; j++) {
        matrix[i * dimension + j] = (matrix[i * dimension + j] as number) + (own[i] as number) * (own[j] as number);
      }
    }
  }
  const ridge = regularization * (history.length + unobserved * itemCount) ** exponent;
  for (let k = 0; k < dimension; k++) matrix[k * dimension + k] = (matrix[k * dimension + k] as number) + ridge;
  const parts = new Float32Array(history.length * dimension);
  if (history.length === 0) return parts;
  const factor = factorCholesky(matrix, dimension);
  history.forEach((item, index) => {
    const part = Float64Array.from(items.subarray(item * dimension, (item + 1) * dimension));
    solveFactored(factor, dimension, part);
    parts.set(part, index * dimension);
  });
  return parts;
}
