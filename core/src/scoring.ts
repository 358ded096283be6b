/** Scores held at a time where each user has one for every item: 64 MiB of float32. */
const BLOCK_SCORES = 2 ** 24;

/** How many users' scores of all items are computed and ranked together. */
export function usersPerBlock(itemCount: number): number {
  return Math.max(1, Math.floor(BLOCK_SCORES / Math.max(1, itemCount)));
}

/**
 * Writes the inner products of one query with all rows of `items` into `scores`, `[items.length / query.length]`.
 * Four items at a time share each value of the query, which is float64 to spare the conversions.
 */
export function scoreItems(items: Float32Array, query: Float64Array, scores: Float64Array): void {
  const dimension = query.length;
  const itemCount = items.length / dimension;
  const blocked = itemCount - (itemCount % 4);
  for (let item = 0; item < blocked; item += 4) {
    const b0 = item * dimension;
    const b1 = b0 + dimension;
    const b2 = b1 + dimension;
    const b3 = b2 + dimension;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let column = 0; column < dimension; column++) {
      const value = query[column] as number;
      s0 += value * (items[b0 + column] as number);
      s1 += value * (items[b1 + column] as number);
      s2 += value * (items[b2 + column] as number);
      s3 += value * (items[b3 + column] as number);
    }
    scores[item] = s0;
    scores[item + 1] = s1;
    scores[item + 2] = s2;
    scores[item + 3] = s3;
  }
  for (let item = blocked; item < itemCount; item++) {
    let sum = 0;
    for (let column = 0; column < dimension; column++) {
      sum += (query[column] as number) * (items[item * dimension + column] as number);
    }
    scores[item] = sum;
  }
}

/**
 * The rows of the `count` highest scores, best first, equal scores by ascending row; -Infinity never counts, so that
 * fewer may be returned. A heap of `count` rows whose root is the worst.
 */
export function topRows(scores: Float64Array, count: number): Int32Array {
  const heap = new Int32Array(Math.min(count, scores.length));
  let size = 0;
  const isWorse = (a: number, b: number) => {
    const difference = (scores[a] as number) - (scores[b] as number);
    return difference < 0 || (difference === 0 && a > b);
  };
  const sink = (from: number, row: number) => {
    let hole = from;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= size) break;
      if (child + 1 < size && isWorse(heap[child + 1] as number, heap[child] as number)) child++;
      if (!isWorse(heap[child] as number, row)) break;
      heap[hole] = heap[child] as number;
      hole = child;
    }
    heap[hole] = row;
  };
  let floor = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < scores.length; row++) {
    // A row that only equals the floor comes later than the root and is therefore worse.
    if (!((scores[row] as number) > floor)) continue;
    if (size < heap.length) {
      let hole = size++;
      while (hole > 0) {
        const parent = (hole - 1) >>> 1;
        if (!isWorse(row, heap[parent] as number)) break;
        heap[hole] = heap[parent] as number;
        hole = parent;
      }
      heap[hole] = row;
    } else {
      sink(0, row);
    }
    if (size === heap.length) floor = scores[heap[0] as number] as number;
  }
  return heap.subarray(0, size).toSorted((a, b) => (isWorse(a, b) ? 1 : -1));
}
