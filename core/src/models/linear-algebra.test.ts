import { describe, expect, test } from 'vitest';
import { loadLinearAddon, LINEAR_ADDON } from '../linear-addon.ts';
import { nextBelow, nextNormal, seedRandom } from '../random.ts';
import { chooseAlgebra } from './choose-algebra.ts';
import { transposeLists } from './histories.ts';
import { normalizeGraph } from './normalized-graph.ts';
import { referenceAlgebra } from './reference-algebra.ts';
import { loadAddonFrom } from '@kindred/native/load-addon';

const { addon } = loadLinearAddon();

const random = seedRandom(7);
const normals = (count: number) => Float32Array.from({ length: count }, () => nextNormal(random));

/** Random lists of distinct ascending columns, some of them empty. */
function randomLists(rows: number, columns: number, most: number) {
  const lists = Array.from({ length: rows }, () =>
    [...new Set(Array.from({ length: nextBelow(random, most + 1) }, () => nextBelow(random, columns)))].toSorted(
      (a, b) => a - b,
    ),
  );
  const offsets = new Int32Array(rows + 1);
  lists.forEach((list, row) => {
    offsets[row + 1] = (offsets[row] ?? 0) + list.length;
  });
  return { offsets, items: Int32Array.from(lists.flat()) };
}

function expectClose(actual: Float32Array, wanted: Float32Array, tolerance = 1e-4): void {
  expect(actual).toHaveLength(wanted.length);
  const scale = Math.max(1, ...wanted.map(Math.abs));
  let worst = 0;
  actual.forEach((value, at) => {
    const difference = Math.abs(value - (wanted[at] ?? 0));
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
  });
  expect(worst / scale).toBeLessThan(tolerance);
}

const choices = (addon?.kernelNames ?? []).flatMap((kernels) => [1, 3].map((threads) => ({ kernels, threads })));

describe.skipIf(!addon)('native linear algebra agrees with plain TypeScript', () => {
  if (!addon) return;

  describe.each(choices)('$kernels kernels on $threads threads', (execution) => {
    test.each([
      [1, 1, 1],
      [5, 3, 0],
      [7, 33, 300],
      [65, 31, 17],
      [400, 130, 64],
    ])('in dense products of %i x %i over depth %i, transposed or not', async (rows, columns, depth) => {
      const [a, b] = [normals(rows * depth), normals(depth * columns)];
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const start = normals(rows * columns);
          const [native, plain] = [start.slice(), start.slice()];
          const product = { a, b, rows, columns, depth, transposeA, transposeB, alpha: 0.5, beta: -2 };
          await addon.multiply({ ...product, c: native, ...execution });
          await referenceAlgebra.multiply({ ...product, c: plain });
          expectClose(native, plain);
        }
      }
    });

    test('in the lower triangle, without reading what beta 0 discards', async () => {
      const [size, depth] = [500, 40];
      const a = normals(size * depth);
      const native = new Float32Array(size * size).fill(Number.NaN);
      const plain = new Float32Array(size * size);
      const product = { a, b: a, rows: size, columns: size, depth, transposeB: true };
      await addon.multiply({ ...product, c: native, lower: true, ...execution });
      await referenceAlgebra.multiply({ ...product, c: plain });
      for (let row = 0; row < size; row++) {
        expectClose(
          native.subarray(row * size, row * size + row + 1),
          plain.subarray(row * size, row * size + row + 1),
        );
      }
    });

    test.each([1, 4, 32, 100])('in sparse products of %i columns', async (columns) => {
      const lists = randomLists(90, 70, 40);
      const dense = normals(70 * columns);
      const values = normals(lists.items.length);
      for (const entries of [values, null]) {
        const start = normals(90 * columns);
        const [native, plain] = [start.slice(), start.slice()];
        const rows = { offsets: lists.offsets, indices: lists.items, values: entries };
        const product = { ...rows, dense, denseRows: 70, columns, alpha: 2, beta: 0.5 };
        await addon.multiplySparse({ ...product, out: native, ...execution });
        await referenceAlgebra.multiplySparse({ ...product, out: plain });
        expectClose(native, plain);
      }
    });

    test.each([1, 2, 95, 96, 97, 250])('in the inverse of a positive definite matrix of %i rows', async (size) => {
      const factor = normals(size * size);
      const native = new Float32Array(size * size);
      await referenceAlgebra.multiply({
        a: factor,
        b: factor,
        c: native,
        rows: size,
        columns: size,
        depth: size,
        transposeB: true,
      });
      for (let row = 0; row < size; row++) native[row * size + row] = (native[row * size + row] ?? 0) + size;
      const plain = native.slice();
      await addon.invertPositive({ matrix: native, size, ...execution });
      await referenceAlgebra.invertPositive({ matrix: plain, size });
      expectClose(native, plain);
    });

    test('in a half step of least squares', async () => {
      const lists = randomLists(60, 50, 12);
      const problem = { offsets: lists.offsets, indices: lists.items, fixed: normals(50 * 21), dimension: 21 };
      const weights = { unobserved: 0.3, regularization: 0.05, exponent: 0.8 };
      const [native, plain] = [normals(60 * 21), new Float32Array(60 * 21)];
      await addon.solveLeastSquares({ ...problem, ...weights, out: native, ...execution });
      await referenceAlgebra.solveLeastSquares({ ...problem, ...weights, out: plain });
      expectClose(native, plain, 2e-4);
    });

    test.each([7, 16, 64])('in BPR steps of dimension %i', async (dimension) => {
      const triples = Int32Array.from({ length: 300 }, (_, at) => nextBelow(random, at % 3 === 0 ? 9 : 12));
      const [users, items] = [normals(9 * dimension), normals(12 * dimension)];
      const steps = { triples, dimension, learningRate: 0.05, regularization: 0.01 };
      const native = { users: users.slice(), items: items.slice() };
      const loss = await addon.bprSteps({ ...steps, ...native, ...execution });
      expect(loss).toBeCloseTo(await referenceAlgebra.bprSteps({ ...steps, users, items }), 2);
      expectClose(native.users, users);
      expectClose(native.items, items);
    });

    test.each([0, 1, 2, 5, 8])('in a graph filter of order %i', async (order) => {
      const lists = randomLists(70, 50, 20);
      const graph = normalizeGraph(lists, 50);
      const histories = randomLists(40, 50, 10);
      const scales = { inputScale: normals(50), outputScale: normals(50) };
      const rows = { historyOffsets: histories.offsets, historyItems: histories.items };
      const filter = { ...graph, ...rows, ...scales, coefficients: normals(order + 1) };
      const [native, plain] = [normals(40 * 50), new Float32Array(40 * 50)];
      await addon.filterHistories({ ...filter, out: native, ...execution });
      await referenceAlgebra.filterHistories({ ...filter, out: plain });
      expectClose(native, plain);
    });

    test('in the linear filter of a graph so sparse that it goes history by history', async () => {
      const lists = randomLists(2000, 3000, 3);
      const graph = normalizeGraph(lists, 3000);
      const histories = randomLists(30, 3000, 10);
      const scales = { inputScale: normals(3000), outputScale: normals(3000) };
      const rows = { historyOffsets: histories.offsets, historyItems: histories.items };
      const filter = { ...graph, ...rows, ...scales, coefficients: Float32Array.of(0.5, -0.5) };
      const [native, plain] = [normals(30 * 3000), new Float32Array(30 * 3000)];
      await addon.filterHistories({ ...filter, out: native, ...execution });
      await referenceAlgebra.filterHistories({ ...filter, out: plain });
      expectClose(native, plain);
    });

    test('in the best of scores with ties, NaN, infinities and exclusions', async () => {
      const [rows, columns, count] = [20, 300, 9];
      const scores = normals(rows * columns).map((value) => Math.round(value * 20));
      scores.fill(Number.NEGATIVE_INFINITY, 0, columns - 4);
      scores[columns + 3] = Number.NaN;
      scores[columns + 5] = Number.POSITIVE_INFINITY;
      const { offsets, items } = randomLists(rows, columns, 100);
      const selection = { scores, rows, columns, count, excludedOffsets: offsets, excluded: items };
      const [native, plain] = [new Int32Array(rows * count), new Int32Array(rows * count)];
      await addon.selectBest({ ...selection, out: native, ...execution });
      await referenceAlgebra.selectBest({ ...selection, out: plain });
      expect(native).toEqual(plain);
      expect(native.subarray(0, count).includes(-1)).toBe(true);
    });
  });

  test.each([
    ['a matrix that is not positive', { matrix: Float32Array.of(1, 0, 2, 1), size: 2 }],
    ['NaN', { matrix: Float32Array.of(Number.NaN), size: 1 }],
  ])('refuses to invert %s', async (_, input) => {
    await expect(addon.invertPositive({ ...input, threads: 1 })).rejects.toMatchObject({ code: 'LINEAR_NOT_POSITIVE' });
    await expect(referenceAlgebra.invertPositive(input)).rejects.toMatchObject({ code: 'LINEAR_NOT_POSITIVE' });
  });

  test('refuses arguments that contradict each other before it touches memory', async () => {
    const bad = { code: 'LINEAR_BAD_ARGUMENT' };
    const one = new Float32Array(1);
    const product = { a: one, b: one, c: one, rows: 2, columns: 1, depth: 1, threads: 1 };
    expect(() => addon.multiply(product)).toThrow(expect.objectContaining(bad));
    expect(() => addon.multiply({ ...product, rows: 1.5 })).toThrow(expect.objectContaining(bad));
    expect(() => addon.multiply({ ...product, rows: 1, threads: 0 })).toThrow(expect.objectContaining(bad));
    expect(() => addon.multiply({ ...product, rows: 1, kernels: 'none' })).toThrow(expect.objectContaining(bad));
    const sparse = { values: null, dense: one, denseRows: 1, columns: 1, threads: 1 };
    const tries = [
      { offsets: Int32Array.of(0, 1), indices: Int32Array.of(1) },
      { offsets: Int32Array.of(0, 1), indices: Int32Array.of(-1) },
      { offsets: Int32Array.of(0, 2), indices: Int32Array.of(0) },
      { offsets: Int32Array.of(1, 1), indices: Int32Array.of(0) },
    ];
    for (const rows of tries) {
      await expect(addon.multiplySparse({ ...sparse, ...rows, out: new Float32Array(1) })).rejects.toMatchObject(bad);
    }
    const falling = { offsets: Int32Array.of(0, 2, 1), indices: Int32Array.of(0), out: new Float32Array(2) };
    await expect(addon.multiplySparse({ ...sparse, ...falling })).rejects.toMatchObject(bad);
    const steps = { users: one, items: one, dimension: 1, learningRate: 0.1, regularization: 0, threads: 1 };
    await expect(addon.bprSteps({ ...steps, triples: Int32Array.of(0, 0, 1) })).rejects.toMatchObject(bad);
  });

  test('gives the same bits on one thread and on many', async () => {
    const lists = randomLists(300, 200, 60);
    const dense = normals(200 * 50);
    const rows = { offsets: lists.offsets, indices: lists.items, values: null, dense, denseRows: 200, columns: 50 };
    const [one, four] = [new Float32Array(300 * 50), new Float32Array(300 * 50)];
    await addon.multiplySparse({ ...rows, out: one, threads: 1 });
    await addon.multiplySparse({ ...rows, out: four, threads: 4 });
    expect(four).toEqual(one);
    const a = normals(600 * 300);
    const [gram, other] = [new Float32Array(300 * 300), new Float32Array(300 * 300)];
    const product = { a, b: a, rows: 300, columns: 300, depth: 600, transposeA: true };
    await addon.multiply({ ...product, c: gram, threads: 1 });
    await addon.multiply({ ...product, c: other, threads: 4 });
    expect(other).toEqual(gram);
  });
});

test('plain TypeScript stands in where it is asked for, and says so', () => {
  expect(chooseAlgebra({ prefer: 'reference' })).toMatchObject({ kind: 'reference', notice: expect.any(String) });
  expect(loadAddonFrom('/nowhere', LINEAR_ADDON)).toEqual({
    addon: null,
    reason: expect.stringContaining('not built'),
  });
});

test('transposing twice gives the lists back', () => {
  const lists = randomLists(30, 20, 10);
  expect(transposeLists(transposeLists(lists, 20), 30)).toEqual(lists);
});
