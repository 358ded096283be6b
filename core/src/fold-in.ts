/** The trained items that a user is folded in from. */
export interface FoldInModel {
  readonly dimension: number;
  /** `[itemCount, dimension]` float32: the final item vectors. */
  readonly items: Float32Array;
  /** Training users per item, `[itemCount]`. */
  readonly itemDegrees: Int32Array;
  /** An item of the user counts item degree ^ -foldInPower. */
  readonly foldInPower: number;
  /** `[dimension, dimension]`: what the sum is multiplied with from the right (models/fold-in-map.ts); null for the sum itself. */
  readonly foldInMap: Float32Array | null;
}

/**
 * The vector of a user whom the model has not seen, from the rows of the user's items:
 * (1 / sqrt(n)) * sum of vector * item degree ^ -foldInPower, times the map where the model has one. Repeats count once;
 * items that no one had in training carry no signal and are left out; all zeros when nothing is left.
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
  return Float32Array.from(model.foldInMap ? multiplyRow(vector, model.foldInMap) : vector);
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
  const { dimension, items, foldInMap } = model;
  checkRow(model, targetRow);
  const own = items.subarray(targetRow * dimension, (targetRow + 1) * dimension);
  const target = foldInMap ? multiplyColumn(foldInMap, own) : own;
  const contributions = weighRows(model, itemRows).map(([itemRow, weight]) => {
    let product = 0;
    for (let column = 0; column < dimension; column++) {
      product += (items[itemRow * dimension + column] ?? 0) * (target[column] ?? 0);
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
  return seen.map((row) => [row, scale * (model.itemDegrees[row] ?? 1) ** -model.foldInPower]);
}

/** row x map. */
function multiplyRow(row: Float64Array, map: Float32Array): Float64Array {
  const product = new Float64Array(row.length);
  for (let at = 0; at < row.length; at++) {
    const value = row[at] as number;
    for (let column = 0; column < row.length; column++) {
      product[column] = (product[column] as number) + value * (map[at * row.length + column] as number);
    }
  }
  return product;
}

/** map x column. */
function multiplyColumn(map: Float32Array, column: Float32Array): Float64Array {
  return Float64Array.from(column, (_, row) =>
    column.reduce((sum, value, at) => sum + value * (map[row * column.length + at] as number), 0),
  );
}

function checkRow({ itemDegrees }: FoldInModel, row: number): void {
  if (!Number.isInteger(row) || row < 0 || row >= itemDegrees.length) {
    throw new RangeError(`Item row ${row} is outside [0, ${itemDegrees.length}).`);
  }
}
