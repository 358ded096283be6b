/** Why interactions cannot be used: `reason` is closed, the message names the values. */
export class InteractionDataError extends Error {
  readonly reason: 'BAD_COUNT' | 'LENGTH_MISMATCH' | 'ROW_OUT_OF_RANGE' | 'NOT_FINITE' | 'EMPTY' | 'NO_NEGATIVES';

  constructor(reason: InteractionDataError['reason'], message: string) {
    super(message);
    this.name = 'InteractionDataError';
    this.reason = reason;
  }
}

/**
 * Interactions as columns of one length. `userRows` and `itemRows` index the users and items in [0, count);
 * `timestamps` are epoch milliseconds. A (user, item) pair may occur more than once, in any order.
 */
export interface InteractionMatrix {
  readonly userCount: number;
  readonly itemCount: number;
  readonly userRows: Int32Array;
  readonly itemRows: Int32Array;
  readonly weights: Float32Array;
  readonly timestamps: Float64Array;
}

/** For every user the items of the user in ascending row order without repeats: those of user u are `items[offsets[u] .. offsets[u + 1])`. */
export interface ItemLists {
  readonly offsets: Int32Array;
  readonly items: Int32Array;
}

/** Row numbers are 32-bit integers. */
const MOST_ROWS = 2 ** 31 - 1;

/**
 * Checks that a matrix is whole and returns it.
 * @throws InteractionDataError BAD_COUNT, LENGTH_MISMATCH, ROW_OUT_OF_RANGE or NOT_FINITE (weight or timestamp).
 */
export function checkInteractions(matrix: InteractionMatrix): InteractionMatrix {
  const { userCount, itemCount } = matrix;
  for (const [name, count] of Object.entries({ userCount, itemCount })) {
    if (!Number.isInteger(count) || count < 0 || count > MOST_ROWS) {
      const wanted = `a whole number in [0, ${MOST_ROWS}]`;
      throw new InteractionDataError('BAD_COUNT', `${name} must be ${wanted}, got ${count}.`);
    }
  }
  const length = matrix.userRows.length;
  const { itemRows, weights, timestamps } = matrix;
  if (itemRows.length !== length || weights.length !== length || timestamps.length !== length) {
    const lengths = [length, itemRows.length, weights.length, timestamps.length].join(', ');
    throw new InteractionDataError('LENGTH_MISMATCH', `Columns must have one length, got ${lengths}.`);
  }
  checkRows(matrix.userRows, matrix.userCount, 'user');
  checkRows(itemRows, matrix.itemCount, 'item');
  for (const [name, values] of Object.entries({ weights, timestamps })) {
    const position = values.findIndex((value) => !Number.isFinite(value));
    if (position >= 0) {
      throw new InteractionDataError('NOT_FINITE', `${name}[${position}] is ${values[position]}, not a finite number.`);
    }
  }
  return matrix;
}

function checkRows(rows: Int32Array, count: number, name: string): void {
  const position = rows.findIndex((row) => row < 0 || row >= count);
  if (position >= 0) {
    const message = `${name} row ${rows[position]} at position ${position} is outside [0, ${count}).`;
    throw new InteractionDataError('ROW_OUT_OF_RANGE', message);
  }
}

/** The interactions at `positions`, in that order. */
export function selectInteractions(matrix: InteractionMatrix, positions: Int32Array): InteractionMatrix {
  return {
    userCount: matrix.userCount,
    itemCount: matrix.itemCount,
    userRows: positions.map((position) => matrix.userRows[position] ?? 0),
    itemRows: positions.map((position) => matrix.itemRows[position] ?? 0),
    weights: Float32Array.from(positions, (position) => matrix.weights[position] ?? 0),
    timestamps: Float64Array.from(positions, (position) => matrix.timestamps[position] ?? 0),
  };
}

/** Positions of a matrix grouped by user: those of user u are `positions[offsets[u] .. offsets[u + 1])`, in their old order. */
export function groupPositionsByUser(matrix: InteractionMatrix): { offsets: Int32Array; positions: Int32Array } {
  const offsets = new Int32Array(matrix.userCount + 1);
  for (const user of matrix.userRows) offsets[user + 1] = (offsets[user + 1] ?? 0) + 1;
  for (let user = 0; user < matrix.userCount; user++)
    offsets[user + 1] = (offsets[user + 1] ?? 0) + (offsets[user] ?? 0);
  const next = offsets.slice();
  const positions = new Int32Array(matrix.userRows.length);
  matrix.userRows.forEach((user, position) => {
    const slot = next[user] ?? 0;
    positions[slot] = position;
    next[user] = slot + 1;
  });
  return { offsets, positions };
}

/** Each (user, item) pair once, at its first occurrence in time, ordered by user row and item row. */
export function deduplicateInteractions(matrix: InteractionMatrix): InteractionMatrix {
  const { itemRows, timestamps } = matrix;
  const { offsets, positions } = groupPositionsByUser(matrix);
  let kept = 0;
  for (let user = 0; user < matrix.userCount; user++) {
    const own = positions.slice(offsets[user], offsets[user + 1]);
    own.sort((a, b) => (itemRows[a] ?? 0) - (itemRows[b] ?? 0) || (timestamps[a] ?? 0) - (timestamps[b] ?? 0) || a - b);
    let previousItem = -1;
    for (const position of own) {
      const item = itemRows[position] ?? 0;
      if (item === previousItem) continue;
      previousItem = item;
      positions[kept++] = position;
    }
  }
  return selectInteractions(matrix, positions.slice(0, kept));
}

/** The items of every user, sorted and without repeats, over all of `matrices` (of one user and item count). */
export function listItemsByUser(...matrices: InteractionMatrix[]): ItemLists {
  const [first] = matrices;
  if (!first) throw new InteractionDataError('EMPTY', 'Wanted at least one interaction matrix, got 0.');
  const joined = deduplicateInteractions({
    userCount: first.userCount,
    itemCount: first.itemCount,
    userRows: concatenate(matrices.map((matrix) => matrix.userRows)),
    itemRows: concatenate(matrices.map((matrix) => matrix.itemRows)),
    weights: new Float32Array(0),
    timestamps: new Float64Array(0),
  });
  return { offsets: groupPositionsByUser(joined).offsets, items: joined.itemRows };
}

function concatenate(parts: Int32Array[]): Int32Array {
  const all = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** How many users interacted with each item, `[itemCount]`; repeats by one user count once. */
export function countUsersByItem(matrix: InteractionMatrix): Int32Array {
  const counts = new Int32Array(matrix.itemCount);
  for (const item of listItemsByUser(matrix).items) counts[item] = (counts[item] ?? 0) + 1;
  return counts;
}
