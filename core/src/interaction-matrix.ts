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
  // Not `from` with a function: it goes through a list of 50 bytes a value.
  const weights = new Float32Array(positions.length);
  const timestamps = new Float64Array(positions.length);
  positions.forEach((position, at) => {
    weights[at] = matrix.weights[position] ?? 0;
    timestamps[at] = matrix.timestamps[position] ?? 0;
  });
  return {
    userCount: matrix.userCount,
    itemCount: matrix.itemCount,
    userRows: positions.map((position) => matrix.userRows[position] ?? 0),
    itemRows: positions.map((position) => matrix.itemRows[position] ?? 0),
    weights,
    timestamps,
  };
}

/** Positions of a matrix grouped by user: those of user u are `positions[offsets[u] .. offsets[u + 1])`, in their old order. */
export function groupPositionsByUser(matrix: Pick<InteractionMatrix, 'userCount' | 'userRows'>): {
  offsets: Int32Array;
  positions: Int32Array;
} {
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

/**
 * Where each (user, item) pair occurs first in time, ordered by user row and item row, and for every user where the
 * user's places begin.
 */
function firstPositions(matrix: Pick<InteractionMatrix, 'userCount' | 'userRows' | 'itemRows'>, times: Float64Array) {
  const { itemRows } = matrix;
  const { offsets, positions } = groupPositionsByUser(matrix);
  let kept = 0;
  let first = 0;
  for (let user = 0; user < matrix.userCount; user++) {
    const last = offsets[user + 1] as number;
    const own = positions.slice(first, last);
    first = last;
    own.sort((a, b) => (itemRows[a] ?? 0) - (itemRows[b] ?? 0) || (times[a] ?? 0) - (times[b] ?? 0) || a - b);
    let previousItem = -1;
    for (const position of own) {
      const item = itemRows[position] ?? 0;
      if (item === previousItem) continue;
      previousItem = item;
      positions[kept++] = position;
    }
    offsets[user + 1] = kept;
  }
  return { offsets, positions: positions.subarray(0, kept) };
}

/** Each (user, item) pair once, at its first occurrence in time, ordered by user row and item row. */
export function deduplicateInteractions(matrix: InteractionMatrix): InteractionMatrix {
  return selectInteractions(matrix, firstPositions(matrix, matrix.timestamps).positions);
}

/** The items of every user, sorted and without repeats, over all of `matrices` (of one user and item count). */
export function listItemsByUser(...matrices: InteractionMatrix[]): ItemLists {
  const [first] = matrices;
  if (!first) throw new InteractionDataError('EMPTY', 'Wanted at least one interaction matrix, got 0.');
  const { userCount } = first;
  const itemRows = concatenate(matrices.map((matrix) => matrix.itemRows));
  const joined = { userCount, itemRows, userRows: concatenate(matrices.map((matrix) => matrix.userRows)) };
  const { offsets, positions } = firstPositions(joined, new Float64Array(0));
  return { offsets, items: positions.map((position) => itemRows[position] ?? 0) };
}

function concatenate(parts: readonly Int32Array[]): Int32Array {
  const [only] = parts;
  if (only && parts.length === 1) return only;
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
