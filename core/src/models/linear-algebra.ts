/** A sparse matrix row by row: the entries of row r are `[offsets[r], offsets[r + 1])` of `indices` and `values`. */
export interface SparseRows {
  readonly offsets: Int32Array;
  readonly indices: Int32Array;
}

/** c = alpha * op(a) * op(b) + beta * c; `[rows, columns]` row by row, op transposes where asked for. */
export interface DenseProduct {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly c: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** Only the lower triangle of c is needed. */
  readonly lower?: boolean;
  /** 1 and 0 where absent. */
  readonly alpha?: number;
  readonly beta?: number;
}

/** out = alpha * sparse * dense + beta * out. `values` null stands for ones. */
export interface SparseProduct extends SparseRows {
  readonly values: Float32Array | null;
  /** `[denseRows, columns]`. */
  readonly dense: Float32Array;
  readonly denseRows: number;
  readonly columns: number;
  readonly out: Float32Array;
  /** 1 and 0 where absent. */
  readonly alpha?: number;
  readonly beta?: number;
}

/** One half step of iALS; see `solveLeastSquares`. Row r has the items `indices` of it, each with value 1. */
export interface LeastSquares extends SparseRows {
  /** `[fixedRows, dimension]`: the vectors of the other side. */
  readonly fixed: Float32Array;
  readonly dimension: number;
  /** `[rows, dimension]`. */
  readonly out: Float32Array;
  readonly unobserved: number;
  readonly regularization: number;
  readonly exponent: number;
}

/** Stochastic gradient steps of BPR-MF, one for each triple (user row, liked item row, other item row), in order. */
export interface BprSteps {
  readonly triples: Int32Array;
  readonly users: Float32Array;
  readonly items: Float32Array;
  readonly dimension: number;
  readonly learningRate: number;
  readonly regularization: number;
}

/** The normalised interactions N, once by user and once by item. */
export interface NormalizedGraph {
  readonly userOffsets: Int32Array;
  readonly userItems: Int32Array;
  readonly userValues: Float32Array;
  readonly itemOffsets: Int32Array;
  readonly itemUsers: Int32Array;
  readonly itemValues: Float32Array;
}

/** Scores of histories under a polynomial filter of the item graph; see `filterHistories`. */
export interface HistoryFilter extends NormalizedGraph {
  /** Chebyshev coefficients of the filter, over I - 2 N^T N. */
  readonly coefficients: Float32Array;
  readonly historyOffsets: Int32Array;
  readonly historyItems: Int32Array;
  /** `[itemCount]`: what each item of a history counts, and what each filtered value is multiplied with. */
  readonly inputScale: Float32Array;
  readonly outputScale: Float32Array;
  /** `[histories, itemCount]`. */
  readonly out: Float32Array;
}

/** A square matrix `[size, size]`; see `invertPositive`. */
export interface PositiveMatrix {
  readonly matrix: Float32Array;
  readonly size: number;
  /** One value: the native code ends with LINEAR_CANCELLED soon after it becomes 1. */
  readonly cancel?: Int32Array;
}

/** The best columns of each row of scores; see `selectBest`. */
export interface Selection {
  /** `[rows, columns]`. */
  readonly scores: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly count: number;
  /** Columns that are left out of row r: `[excludedOffsets[r], excludedOffsets[r + 1])` of `excluded`. */
  readonly excludedOffsets: Int32Array;
  readonly excluded: Int32Array;
  /** `[rows, count]`. */
  readonly out: Int32Array;
}

/**
 * What the models compute with. Arrays are read and written in place and must be left alone until the promise settles.
 * Results are the same for any number of threads; `native` and `reference` agree within float32 rounding.
 */
export interface LinearAlgebra {
  readonly kind: 'native' | 'reference';
  /** Why the native code is not used; null where it is. */
  readonly notice: string | null;
  multiply(product: DenseProduct): Promise<unknown>;
  multiplySparse(product: SparseProduct): Promise<unknown>;
  /** Replaces a symmetric positive definite matrix, of which the lower triangle is read, with its inverse. Rejects with code LINEAR_NOT_POSITIVE. */
  invertPositive(input: PositiveMatrix): Promise<unknown>;
  /**
   * For each row with entries the x that solves (unobserved * Y^T Y + sum of y y^T + ridge I) x = sum of y, where ridge
   * = regularization * (entries + unobserved * fixedRows) ^ exponent; 0 for a row without entries.
   */
  solveLeastSquares(problem: LeastSquares): Promise<unknown>;
  /** Resolves to the sum of the losses -log sigmoid(margin) before each step. */
  bprSteps(steps: BprSteps): Promise<number>;
  /** out = outputScale * filter(inputScale * history), for each history. */
  filterHistories(filter: HistoryFilter): Promise<unknown>;
  /** The `count` best columns of each row, best first, equal scores by column; -Infinity and NaN never count, -1 fills up. */
  selectBest(selection: Selection): Promise<unknown>;
}
