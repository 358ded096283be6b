import { type InteractionMatrix, type ItemLists, listItemsByUser } from '../interaction-matrix.ts';
import type { RecommenderVectors } from '../recommender.ts';
import { selectHistories } from './histories.ts';
import type { LinearAlgebra } from './linear-algebra.ts';

/** More users do not change the map's use. */
const MOST_USERS = 20_000;

/** Of the mean diagonal of the users' second moments: what holds the map to a multiple of the identity where users say little. */
const RIDGE = 0.01;

/**
 * What takes the sum of a user's item vectors over the square root of their number to the user's trained vector:
 * `[dimension, dimension]`, to be multiplied from the right (row vector x map). Ridge regression over the training
 * users, drawn to the best multiple of the identity. A folded-in vector stays linear in the items of the user, and is free
 * of what a trained vector remembers of its own items alone.
 */
export async function fitFoldInMap(
  train: InteractionMatrix,
  { dimension, users, items }: RecommenderVectors,
  algebra: LinearAlgebra,
): Promise<Float32Array> {
  const lists = listItemsByUser(train);
  const rows = sampleUsers(lists);
  const sums = await sumHistories(selectHistories(lists, rows), { items, dimension }, algebra);
  const trained = new Float32Array(rows.length * dimension);
  rows.forEach((user, index) =>
    trained.set(users.subarray(user * dimension, (user + 1) * dimension), index * dimension),
  );
  const shape = { rows: dimension, columns: dimension, depth: rows.length, transposeA: true };
  const moments = new Float32Array(dimension * dimension);
  const target = new Float32Array(dimension * dimension);
  await algebra.multiply({ a: sums, b: sums, c: moments, ...shape });
  await algebra.multiply({ a: sums, b: trained, c: target, ...shape });
  const trace = traceOf(moments, dimension);
  const map = new Float32Array(dimension * dimension);
  if (trace === 0) return addToDiagonal(map, dimension, 1);
  const ridge = (RIDGE * trace) / dimension;
  addToDiagonal(moments, dimension, ridge);
  addToDiagonal(target, dimension, (ridge * traceOf(target, dimension)) / trace);
  await algebra.invertPositive({ matrix: moments, size: dimension });
  await algebra.multiply({ a: moments, b: target, c: map, rows: dimension, columns: dimension, depth: dimension });
  return map;
}

/** Users with items, evenly spread over the rows. */
function sampleUsers({ offsets }: ItemLists): Int32Array {
  const rows = Int32Array.from({ length: offsets.length - 1 }, (_, user) => user).filter(
    (user) => (offsets[user + 1] ?? 0) > (offsets[user] ?? 0),
  );
  const count = Math.min(MOST_USERS, rows.length);
  return Int32Array.from({ length: count }, (_, index) => rows[Math.floor((index * rows.length) / count)] as number);
}

/** The sum of each history's item vectors over the square root of their number, `[histories, dimension]`. */
async function sumHistories(
  histories: ItemLists,
  { items, dimension }: Pick<RecommenderVectors, 'items' | 'dimension'>,
  algebra: LinearAlgebra,
): Promise<Float32Array> {
  const { offsets } = histories;
  const values = new Float32Array(histories.items.length);
  for (let row = 0; row + 1 < offsets.length; row++) {
    const [first = 0, last = 0] = [offsets[row], offsets[row + 1]];
    values.fill(1 / Math.sqrt(last - first), first, last);
  }
  const out = new Float32Array((offsets.length - 1) * dimension);
  const denseRows = items.length / dimension;
  const sparse = { offsets, indices: histories.items, values };
  await algebra.multiplySparse({ ...sparse, dense: items, denseRows, columns: dimension, out });
  return out;
}

function traceOf(matrix: Float32Array, size: number): number {
  let trace = 0;
  for (let at = 0; at < matrix.length; at += size + 1) trace += matrix[at] as number;
  return trace;
}

function addToDiagonal(matrix: Float32Array, size: number, value: number): Float32Array {
  for (let at = 0; at < matrix.length; at += size + 1) matrix[at] = (matrix[at] as number) + value;
  return matrix;
}
