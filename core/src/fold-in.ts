/** The trained items that a user is folded in from. */
export interface FoldInModel {
  readonly dimension: number;
  /** `[itemCount, dimension]` float32: the final item vectors. */
  readonly items: Float32Array;
  /** Training users per item, `[itemCount]`. */
  readonly itemDegrees: Int32Array;
}

/**
 * The vector of a user whom the model has not seen, from the rows of the user's items: one LightGCN propagation of the
 * final item vectors, (1 / sqrt(n)) * sum of vector / sqrt(item degree). Repeats count once; items that no one had in
 * training carry no signal and are left out; all zeros when nothing is left.
 * @throws RangeError for a row outside the model.
 */
export function foldInUser(model: FoldInModel, itemRows: Iterable<number>): Float32Array {
  const { dimension, items } = model;
  const vector = new Float64Array(dimension);
  for (const [row, weight] of weighRows(model, itemRows)) {
    for (let column = 0; column < dimension; column++) {
      vector[column] = (vector[column] ?? 0) + weight * (items[row * dimension + column] ?? 0);
    }
  }
  return Float32Array.from(vector);
}

/** How much one of the user's items adds to a score. */
export interface Contribution {
  readonly itemRow: number;
  readonly amount: number;
}

/**
 * Splits the folded-in user's score of `targetRow` into what each of the user's items adds, largest first. The amounts
 * sum to the score (within float32 rounding of the user vector), because the model is linear.
 * @throws RangeError for a row outside the model.
 */
export function explainScore(model: FoldInModel, itemRows: Iterable<number>, targetRow: number): Contribution[] {
  const { dimension, items } = model;
  checkRow(model, targetRow);
  const contributions = weighRows(model, itemRows).map(([itemRow, weight]) => {
    let product = 0;
    for (let column = 0; column < dimension; column++) {
      product += (items[itemRow * dimension + column] ?? 0) * (items[targetRow * dimension + column] ?? 0);
    }
    return { itemRow, amount: weight * product };
  });
  return contributions.toSorted((a, b) => b.amount - a.amount || a.itemRow - b.itemRow);
}

function weighRows(model: FoldInModel, itemRows: Iterable<number>): [row: number, weight: number][] {
  const rows = [...new Set(itemRows)];
  for (const row of rows) checkRow(model, row);
  const seen = rows.filter((row) => (model.itemDegrees[row] ?? 0) > 0);
  const scale = 1 / Math.sqrt(seen.length);
  return seen.map((row) => [row, scale / Math.sqrt(model.itemDegrees[row] ?? 1)]);
}

function checkRow({ itemDegrees }: FoldInModel, row: number): void {
  if (!Number.isInteger(row) || row < 0 || row >= itemDegrees.length) {
    throw new RangeError(`Item row ${row} is outside [0, ${itemDegrees.length}).`);
  }
}
