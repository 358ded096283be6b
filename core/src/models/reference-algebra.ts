import type {
  BprSteps,
  DenseProduct,
  HistoryFilter,
  LeastSquares,
  LinearAlgebra,
  Selection,
  SparseProduct,
} from './linear-algebra.ts';

/** A matrix that must be positive definite is not; has the code of the native addon. */
export class NotPositiveError extends Error {
  readonly code = 'LINEAR_NOT_POSITIVE';

  constructor(pivot: number, value: number) {
    super(`pivot ${pivot} is ${value}, not positive`);
    this.name = 'NotPositiveError';
  }
}

/** The slow, obvious form of everything that core/native/linear.cc does; sums in float64. */
export const referenceAlgebra: Omit<LinearAlgebra, 'notice'> = {
  kind: 'reference',
  multiply: async (product) => multiply(product),
  multiplySparse: async (product) => multiplySparse(product),
  invertPositive: async ({ matrix, size }) => invertPositive(matrix, size),
  solveLeastSquares: async (problem) => solveLeastSquares(problem),
  bprSteps: async (steps) => bprSteps(steps),
  selectBest: async (selection) => selectBest(selection),
  filterHistories: async (filter) => filterHistories(filter),
};

function multiply({ a, b, c, rows, columns, depth, alpha = 1, beta = 0, ...product }: DenseProduct): void {
  const { transposeA = false, transposeB = false } = product;
  const sums = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    sums.fill(0);
    for (let k = 0; k < depth; k++) {
      const left = (transposeA ? a[k * rows + row] : a[row * depth + k]) as number;
      if (left === 0) continue;
      const start = transposeB ? k : k * columns;
      const step = transposeB ? depth : 1;
      for (let column = 0; column < columns; column++) {
        sums[column] = (sums[column] as number) + left * (b[start + column * step] as number);
      }
    }
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      c[at] = alpha * (sums[column] as number) + (beta === 0 ? 0 : beta * (c[at] as number));
    }
  }
}

function multiplySparse({ offsets, indices, values, dense, columns, out, ...product }: SparseProduct): void {
  const { alpha = 1, beta = 0 } = product;
  const sums = new Float64Array(columns);
  for (let row = 0; row + 1 < offsets.length; row++) {
    sums.fill(0);
    for (let entry = offsets[row] as number; entry < (offsets[row + 1] as number); entry++) {
      const value = values ? (values[entry] as number) : 1;
      const start = (indices[entry] as number) * columns;
      for (let column = 0; column < columns; column++) {
        sums[column] = (sums[column] as number) + value * (dense[start + column] as number);
      }
    }
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      out[at] = alpha * (sums[column] as number) + (beta === 0 ? 0 : beta * (out[at] as number));
    }
  }
}

/**
 * The Cholesky factor L of a symmetric matrix `[size, size]`, float64, zero above the diagonal.
 * @throws NotPositiveError
 */
export function factorCholesky(matrix: Float32Array | Float64Array, size: number): Float64Array {
  const factor = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * size + column] as number;
      for (let k = 0; k < column; k++) {
        sum -= (factor[row * size + k] as number) * (factor[column * size + k] as number);
      }
      if (row !== column) {
        factor[row * size + column] = sum / (factor[column * size + column] as number);
      } else {
        if (!(sum > 0 && Number.isFinite(sum))) throw new NotPositiveError(row, sum);
        factor[row * size + row] = Math.sqrt(sum);
      }
    }
  }
  return factor;
}

/** Solves L L^T x = x in place. */
export function solveFactored(factor: Float64Array, size: number, x: Float64Array): void {
  for (let row = 0; row < size; row++) {
    let sum = x[row] as number;
    for (let k = 0; k < row; k++) sum -= (factor[row * size + k] as number) * (x[k] as number);
    x[row] = sum / (factor[row * size + row] as number);
  }
  for (let row = size - 1; row >= 0; row--) {
    const value = (x[row] as number) / (factor[row * size + row] as number);
    x[row] = value;
    for (let k = 0; k < row; k++) x[k] = (x[k] as number) - (factor[row * size + k] as number) * value;
  }
}

function invertPositive(matrix: Float32Array, size: number): void {
  const factor = factorCholesky(matrix, size);
  const column = new Float64Array(size);
  for (let at = 0; at < size; at++) {
    column.fill(0);
    column[at] = 1;
    solveFactored(factor, size, column);
    for (let row = 0; row < size; row++) matrix[row * size + at] = column[row] as number;
  }
}

function solveLeastSquares(problem: LeastSquares): void {
  const { offsets, indices, fixed, dimension, out, unobserved, regularization, exponent } = problem;
  const fixedRows = fixed.length / dimension;
  const gram = new Float64Array(dimension * dimension);
  for (let row = 0; row < fixedRows; row++) addOuterProduct(gram, fixed, row, { dimension, weight: unobserved });
  for (let row = 0; row + 1 < offsets.length; row++) {
    const [from, to] = [offsets[row] as number, offsets[row + 1] as number];
    const x = new Float64Array(dimension);
    if (to > from) {
      const own = gram.slice();
      for (let entry = from; entry < to; entry++) {
        const other = indices[entry] as number;
        addOuterProduct(own, fixed, other, { dimension, weight: 1 });
        for (let k = 0; k < dimension; k++) x[k] = (x[k] as number) + (fixed[other * dimension + k] as number);
      }
      const ridge = regularization * (to - from + unobserved * fixedRows) ** exponent;
      for (let k = 0; k < dimension; k++) own[k * dimension + k] = (own[k * dimension + k] as number) + ridge;
      solveFactored(factorCholesky(own, dimension), dimension, x);
    }
    out.set(x, row * dimension);
  }
}

function addOuterProduct(
  gram: Float64Array,
  table: Float32Array,
  row: number,
  { dimension, weight }: { dimension: number; weight: number },
): void {
  const start = row * dimension;
  for (let i = 0; i < dimension; i++) {
    const left = weight * (table[start + i] as number);
    for (let j = 0; j <= i; j++) {
      gram[i * dimension + j] = (gram[i * dimension + j] as number) + left * (table[start + j] as number);
    }
  }
}

function bprSteps({ triples, users, items, dimension, learningRate, regularization }: BprSteps): number {
  let loss = 0;
  const keep = 1 - learningRate * regularization;
  for (let at = 0; at < triples.length; at += 3) {
    const u = (triples[at] as number) * dimension;
    const p = (triples[at + 1] as number) * dimension;
    const n = (triples[at + 2] as number) * dimension;
    let margin = 0;
    for (let k = 0; k < dimension; k++) {
      margin += (users[u + k] as number) * ((items[p + k] as number) - (items[n + k] as number));
    }
    loss += margin > -700 ? Math.log1p(Math.exp(-margin)) : -margin;
    const slope = learningRate / (1 + Math.exp(margin));
    for (let k = 0; k < dimension; k++) {
      const user = users[u + k] as number;
      const liked = items[p + k] as number;
      const other = items[n + k] as number;
      users[u + k] = keep * user + slope * (liked - other);
      items[p + k] = keep * liked + slope * user;
      items[n + k] = keep * other - slope * user;
    }
  }
  return loss;
}

function filterHistories(filter: HistoryFilter): void {
  const { historyOffsets, historyItems, inputScale, outputScale, coefficients, out } = filter;
  const itemCount = inputScale.length;
  const order = coefficients.length - 1;
  for (let history = 0; history + 1 < historyOffsets.length; history++) {
    const signal = new Float64Array(itemCount);
    for (const item of historyItems.subarray(historyOffsets[history], historyOffsets[history + 1])) {
      signal[item] = inputScale[item] as number;
    }
    // Clenshaw's recurrence: b_k = c_k x + 2 L b_{k+1} - b_{k+2}; the result is c_0 x + L b_1 - b_2.
    let next = signal.map((value) => (coefficients[order] as number) * value);
    let afterNext = new Float64Array(itemCount);
    for (let k = order - 1; k >= 0; k--) {
      const moved = applyOperator(filter, next);
      const scale = k === 0 ? 1 : 2;
      const current = signal.map(
        (value, item) =>
          (coefficients[k] as number) * value + scale * (moved[item] as number) - (afterNext[item] as number),
      );
      [next, afterNext] = [current, next];
    }
    for (let item = 0; item < itemCount; item++) {
      out[history * itemCount + item] = (outputScale[item] as number) * (next[item] as number);
    }
  }
}

/** x - 2 N^T N x. */
function applyOperator({ userOffsets, userItems, userValues }: HistoryFilter, x: Float64Array): Float64Array {
  const result = x.slice();
  for (let user = 0; user + 1 < userOffsets.length; user++) {
    let sum = 0;
    for (let entry = userOffsets[user] as number; entry < (userOffsets[user + 1] as number); entry++) {
      sum += (userValues[entry] as number) * (x[userItems[entry] as number] as number);
    }
    for (let entry = userOffsets[user] as number; entry < (userOffsets[user + 1] as number); entry++) {
      const item = userItems[entry] as number;
      result[item] = (result[item] as number) - 2 * sum * (userValues[entry] as number);
    }
  }
  return result;
}

function selectBest({ scores, rows, columns, count, excludedOffsets, excluded, out }: Selection): void {
  for (let row = 0; row < rows; row++) {
    const own = scores.slice(row * columns, (row + 1) * columns);
    for (const column of excluded.subarray(excludedOffsets[row], excludedOffsets[row + 1])) {
      own[column] = Number.NEGATIVE_INFINITY;
    }
    const best: number[] = [];
    let floor = Number.NEGATIVE_INFINITY;
    for (let column = 0; column < columns; column++) {
      const score = own[column] as number;
      if (!(score > floor)) continue;
      let at = best.length;
      while (at > 0 && (own[best[at - 1] as number] as number) < score) at--;
      best.splice(at, 0, column);
      if (best.length > count) best.pop();
      if (best.length === count) floor = own[best[count - 1] as number] as number;
    }
    for (let rank = 0; rank < count; rank++) out[row * count + rank] = best[rank] ?? -1;
  }
}
