import { freeTable } from '../free-table.ts';
import { drawNormals, seedRandom } from '../random.ts';
import type { LinearAlgebra, NormalizedGraph } from './linear-algebra.ts';
import { symmetricEigen } from './symmetric-eigen.ts';

/** The largest singular values, largest first, and their right singular vectors. */
export interface TruncatedSvd {
  /** At most as many as asked for: values below 1e-4 of the largest are left out. */
  readonly rank: number;
  readonly values: Float64Array;
  /** `[itemCount, rank]` float32, orthonormal columns. */
  readonly right: Float32Array;
}

export interface SvdOptions {
  readonly rank: number;
  /** Rounds of subspace iteration: the error of value k falls with (value[rank + oversampling] / value[k]) ^ (2 rounds). */
  readonly rounds: number;
  readonly seed: number;
  readonly algebra: LinearAlgebra;
  /** Called after each of the `rounds`. */
  readonly onRound?: (round: number) => void;
}

/** Columns beyond the rank, which the iteration discards at the end. */
const OVERSAMPLING = 24;

/** Directions that data of this size carry, a multiple of 16: 256 for gowalla's 810,128 pairs, 48 for MovieLens 100k. */
export function spectralDimension(interactionCount: number): number {
  return 16 * Math.round(16 * (interactionCount / 800_000) ** 0.75);
}

/** Bytes that `truncatedSvd` needs at the most besides the graph: its result takes less. */
export function svdBytes(size: { userCount: number; itemCount: number }, rank: number): number {
  const width = Math.min(rank + OVERSAMPLING, size.userCount, size.itemCount);
  return 4 * width * (size.userCount + 2 * size.itemCount) + 32 * width * width;
}

/**
 * The truncated singular value decomposition of the normalised interactions by randomised subspace iteration (Halko,
 * Martinsson and Tropp 2011, algorithm 4.4), orthonormalised by the Cholesky factor of the Gram matrix, with a
 * Rayleigh-Ritz step at the end.
 */
export async function truncatedSvd(graph: NormalizedGraph, options: SvdOptions): Promise<TruncatedSvd> {
  const { algebra, rounds } = options;
  const userCount = graph.userOffsets.length - 1;
  const itemCount = graph.itemOffsets.length - 1;
  const width = Math.min(options.rank + OVERSAMPLING, userCount, itemCount);
  const random = seedRandom(options.seed);
  const basis = drawNormals(random, itemCount * width);
  const other = new Float32Array(itemCount * width);
  const middle = new Float32Array(userCount * width);
  for (let round = 0; round < rounds; round++) {
    await multiplyGraph(graph, 'forward', { algebra, dense: basis, width, out: middle });
    await multiplyGraph(graph, 'backward', { algebra, dense: middle, width, out: other });
    const gram = await gramOf(other, width, algebra);
    await rotate(other, orthonormalizer(gram, width), { algebra, columns: width, out: basis });
    options.onRound?.(round + 1);
  }
  freeTable(other);
  await multiplyGraph(graph, 'forward', { algebra, dense: basis, width, out: middle });
  const { values, vectors } = symmetricEigen(await gramOf(middle, width, algebra), width);
  freeTable(middle);
  const floor = (values[0] ?? 0) * 1e-8;
  const rank = values.subarray(0, Math.min(options.rank, width)).filter((value) => value > floor).length;
  const rotation = transposeRows(vectors, rank, width);
  const right = new Float32Array(itemCount * rank);
  if (rank > 0) await rotate(basis, rotation, { algebra, columns: rank, out: right });
  freeTable(basis);
  return { rank, values: values.slice(0, rank).map(Math.sqrt), right };
}

interface GraphProduct {
  readonly algebra: LinearAlgebra;
  readonly dense: Float32Array;
  readonly width: number;
  readonly out: Float32Array;
}

async function multiplyGraph(
  graph: NormalizedGraph,
  way: 'forward' | 'backward',
  { algebra, dense, width, out }: GraphProduct,
): Promise<void> {
  const rows =
    way === 'forward'
      ? { offsets: graph.userOffsets, indices: graph.userItems, values: graph.userValues }
      : { offsets: graph.itemOffsets, indices: graph.itemUsers, values: graph.itemValues };
  const denseRows = dense.length / width;
  await algebra.multiplySparse({ ...rows, dense, denseRows, columns: width, out });
}

/** The lower triangle of X^T X. */
async function gramOf(x: Float32Array, width: number, algebra: LinearAlgebra): Promise<Float32Array> {
  const gram = new Float32Array(width * width);
  await algebra.multiply({
    a: x,
    b: x,
    c: gram,
    rows: width,
    columns: width,
    depth: x.length / width,
    transposeA: true,
    lower: true,
  });
  return gram;
}

interface Rotation {
  readonly algebra: LinearAlgebra;
  readonly columns: number;
  readonly out: Float32Array;
}

/** out = x * rotation, `rotation` of shape `[width, columns]`. */
async function rotate(x: Float32Array, rotation: Float32Array, { algebra, columns, out }: Rotation): Promise<void> {
  const depth = rotation.length / columns;
  const rows = x.length / depth;
  await algebra.multiply({ a: x, b: rotation, c: out, rows, columns, depth });
}

/**
 * L^-T of the Gram matrix G = L L^T, so that X L^-T has orthonormal columns; columns that depend on those before
 * become zero.
 */
function orthonormalizer(gram: Float32Array, width: number): Float32Array {
  const factor = new Float64Array(width * width);
  for (let row = 0; row < width; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = gram[row * width + column] as number;
      for (let k = 0; k < column; k++) {
        sum -= (factor[row * width + k] as number) * (factor[column * width + k] as number);
      }
      const pivot = factor[column * width + column] as number;
      if (row !== column) factor[row * width + column] = pivot === 0 ? 0 : sum / pivot;
      // Float32 sums leave about 1e-6 of the column's own square even where nothing is left of it.
      else factor[row * width + row] = sum > 1e-5 * (gram[row * width + row] as number) ? Math.sqrt(sum) : 0;
    }
  }
  const inverse = new Float64Array(width * width);
  for (let column = 0; column < width; column++) {
    for (let row = column; row < width; row++) {
      const pivot = factor[row * width + row] as number;
      if (pivot === 0) continue;
      let sum = row === column ? 1 : 0;
      for (let k = column; k < row; k++) {
        sum -= (factor[row * width + k] as number) * (inverse[k * width + column] as number);
      }
      inverse[row * width + column] = sum / pivot;
    }
  }
  return transposeRows(inverse, width, width);
}

/** The first `rows` rows of a matrix of `columns` columns as `[columns, rows]`. */
function transposeRows(matrix: Float64Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = matrix[row * columns + column] as number;
  }
  return out;
}
