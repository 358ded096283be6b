import { describe, expect, test } from 'vitest';
import { createCheckerboard, matrixOf } from '../../golden/checkerboard.ts';
import { listItemsByUser } from '../interaction-matrix.ts';
import { nextBelow, nextNormal, seedRandom } from '../random.ts';
import { ModelConfigError, ModelTooLargeError } from '../recommender.ts';
import { bpr } from './bpr.ts';
import { chooseAlgebra } from './choose-algebra.ts';
import { candidateOf, chooseModel, type Trial } from './choose-model.ts';
import { createContentFactory, fitContentTower, placeItems } from './content-tower.ts';
import { ease } from './ease.ts';
import { filterCoefficients, graphFilter } from './graph-filter.ts';
import { singleHistory } from './histories.ts';
import { itemKnn } from './item-knn.ts';
import { measureRanking } from './measure-ranking.ts';
import { normalizeGraph } from './normalized-graph.ts';
import { popularity } from './popularity-model.ts';
import { spectral } from './spectral.ts';
import { symmetricEigen } from './symmetric-eigen.ts';
import { truncatedSvd } from './truncated-svd.ts';

/** Random pairs of 40 users and 25 items. */
function randomMatrix(seed: number) {
  const random = seedRandom(seed);
  const pairs = Array.from({ length: 300 }, () => [nextBelow(random, 40), nextBelow(random, 25)] as const);
  return matrixOf(40, 25, pairs);
}

/** The distinct pairs as a dense matrix of zeros and ones, `[users][items]`. */
function denseOf(matrix: ReturnType<typeof randomMatrix>): number[][] {
  const dense = Array.from({ length: matrix.userCount }, () => Array.from({ length: matrix.itemCount }, () => 0));
  matrix.userRows.forEach((user, at) => {
    const row = dense[user];
    if (row) row[matrix.itemRows[at] ?? 0] = 1;
  });
  return dense;
}

/** The inverse by Gauss-Jordan elimination with pivoting, float64. */
function invertDirectly(matrix: number[][]): number[][] {
  const size = matrix.length;
  const rows = matrix.map((row, at) => [...row, ...Array.from({ length: size }, (_, k) => (k === at ? 1 : 0))]);
  for (let column = 0; column < size; column++) {
    const pivot = rows.findIndex(
      (row, at) =>
        at >= column && rows.slice(column).every((other) => Math.abs(row[column] ?? 0) >= Math.abs(other[column] ?? 0)),
    );
    [rows[column], rows[pivot]] = [rows[pivot] ?? [], rows[column] ?? []];
    const lead = (rows[column] ?? []).map((value, _, row) => value / (row[column] ?? 1));
    rows[column] = lead;
    rows.forEach((row, at) => {
      const factor = row[column] ?? 0;
      if (at !== column) rows[at] = row.map((value, k) => value - factor * (lead[k] ?? 0));
    });
  }
  return rows.map((row) => row.slice(size));
}

test('the eigenpairs of a symmetric matrix rebuild it, in falling order and orthonormal', () => {
  const size = 23;
  const random = seedRandom(3);
  const matrix = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      matrix[row * size + column] = matrix[column * size + row] = nextNormal(random);
    }
  }
  const { values, vectors } = symmetricEigen(matrix, size);
  expect([...values]).toEqual([...values].toSorted((a, b) => b - a));
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      let rebuilt = 0;
      let inner = 0;
      for (let k = 0; k < size; k++) {
        rebuilt += (values[k] ?? 0) * (vectors[k * size + i] ?? 0) * (vectors[k * size + j] ?? 0);
        inner += (vectors[i * size + k] ?? 0) * (vectors[j * size + k] ?? 0);
      }
      expect(rebuilt).toBeCloseTo(matrix[i * size + j] ?? 0, 10);
      expect(inner).toBeCloseTo(i === j ? 1 : 0, 10);
    }
  }
  expect(symmetricEigen(Float64Array.of(4), 1)).toEqual({ values: Float64Array.of(4), vectors: Float64Array.of(1) });
});

test('the truncated SVD agrees with dense eigenpairs of N^T N', async () => {
  const matrix = randomMatrix(5);
  const graph = normalizeGraph(listItemsByUser(matrix), 25);
  const dense = denseOf(matrix);
  const userDegrees = dense.map((row) => row.reduce((sum, value) => sum + value, 0));
  const itemDegrees = Array.from({ length: 25 }, (_, item) => dense.reduce((sum, row) => sum + (row[item] ?? 0), 0));
  const gram = new Float64Array(25 * 25);
  dense.forEach((row, user) => {
    row.forEach((left, i) => {
      row.forEach((right, j) => {
        if (!left || !right) return;
        const norm = (userDegrees[user] ?? 1) * Math.sqrt((itemDegrees[i] ?? 1) * (itemDegrees[j] ?? 1));
        gram[i * 25 + j] = (gram[i * 25 + j] ?? 0) + 1 / norm;
      });
    });
  });
  const wanted = symmetricEigen(gram, 25);
  const svd = await truncatedSvd(graph, { rank: 6, rounds: 20, seed: 1, algebra: chooseAlgebra() });
  expect(svd.rank).toBe(6);
  expect(svd.values[0]).toBeCloseTo(1, 5);
  for (let k = 0; k < 6; k++) {
    expect((svd.values[k] ?? 0) ** 2).toBeCloseTo(wanted.values[k] ?? 0, 5);
    let inner = 0;
    for (let item = 0; item < 25; item++)
      inner += (svd.right[item * 6 + k] ?? 0) * (wanted.vectors[k * 25 + item] ?? 0);
    expect(Math.abs(inner)).toBeCloseTo(1, 4);
  }
});

test('a matrix of lower rank than asked for gives as many directions as it has', async () => {
  const graph = normalizeGraph(
    listItemsByUser(
      matrixOf(
        6,
        6,
        [0, 1, 2].flatMap(
          (u) =>
            [
              [u, 0],
              [u, 1],
            ] as const,
        ),
      ),
    ),
    6,
  );
  const svd = await truncatedSvd(graph, { rank: 5, rounds: 3, seed: 1, algebra: chooseAlgebra() });
  expect(svd.rank).toBe(1);
  expect(svd.values[0]).toBeCloseTo(1, 5);
});

describe('EASE', () => {
  test('agrees with a direct dense solve', async () => {
    const matrix = randomMatrix(8);
    const dense = denseOf(matrix);
    const lambda = 3;
    const gram = Array.from({ length: 25 }, (_, i) =>
      Array.from({ length: 25 }, (__, j) =>
        dense.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), i === j ? lambda : 0),
      ),
    );
    const inverse = invertDirectly(gram);
    const weight = (from: number, to: number) =>
      from === to ? 0 : -(inverse[from]?.[to] ?? 0) / (inverse[to]?.[to] ?? 1);
    const config = {
      ...ease.defaultConfig({ userCount: 40, itemCount: 25, interactionCount: 300 }),
      regularization: lambda,
    };
    const scores = await (await ease.fit(matrix, config)).scoreUsers(Int32Array.of(0, 17));
    [0, 17].forEach((user, index) => {
      for (let item = 0; item < 25; item++) {
        const wanted = (dense[user] ?? []).reduce((sum, has, from) => sum + has * weight(from, item), 0);
        expect(scores[index * 25 + item]).toBeCloseTo(wanted, 5);
      }
    });
  });

  test('refuses more items than it may square, before it allocates', async () => {
    const config = { regularization: 1, userPower: 0, maxItems: 9 };
    await expect(ease.fit(matrixOf(1, 10, [[0, 0]]), config)).rejects.toThrow(ModelTooLargeError);
    const estimate = ease.estimateMemory({ userCount: 10, itemCount: 10_000, interactionCount: 10 }, config);
    expect(estimate.modelBytes).toBeGreaterThanOrEqual(4e8);
  });
});

test('item-kNN gives the similarities that a hand computes, and drops all but the nearest', async () => {
  // Item 0 has users 0, 1, 2; item 1 has 0, 1; item 2 has 2; item 3 has nobody.
  const matrix = matrixOf(3, 4, [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
    [2, 0],
    [2, 2],
  ]);
  const model = await itemKnn.fit(matrix, { neighbors: 2, shrinkage: 1, power: 0.5 });
  const [to1, to2] = [2 / (Math.sqrt(6) + 1), 1 / (Math.sqrt(3) + 1)];
  const expected = [0, to1, to2, 0];
  (await model.scoreHistories(singleHistory(Int32Array.of(0)))).forEach((score, item) => {
    expect(score).toBeCloseTo(expected[item] ?? 0, 6);
  });
  const nearest = await itemKnn.fit(matrix, { neighbors: 1, shrinkage: 1, power: 0.5 });
  expect((await nearest.scoreHistories(singleHistory(Int32Array.of(0))))[2]).toBe(0);
  expect((await model.scoreHistories(singleHistory(Int32Array.of(1, 2))))[0]).toBeCloseTo(to1 + to2, 6);
});

test('popularity scores are user counts', async () => {
  const model = await popularity.fit(
    matrixOf(2, 3, [
      [0, 0],
      [1, 0],
      [1, 2],
      [1, 2],
    ]),
    {},
  );
  expect([...(await model.scoreUsers(Int32Array.of(1)))]).toEqual([2, 0, 1]);
});

test('the vectors of a spectral model fold in to exactly what was trained', async () => {
  const { train } = createCheckerboard(12);
  const size = { userCount: 12, itemCount: 12, interactionCount: train.userRows.length };
  const model = await spectral.fit(train, spectral.defaultConfig(size));
  const folded = await model.foldIn(listItemsByUser(train));
  folded?.forEach((value, at) => expect(value).toBeCloseTo(model.vectors?.users[at] ?? 0, 4));
});

test('filter coefficients interpolate the plateau, and order 1 is the linear filter', () => {
  expect([...filterCoefficients({ order: 1, flatness: 5 })]).toEqual([0.5, -0.5]);
  const coefficients = filterCoefficients({ order: 8, flatness: 3 });
  const value = (x: number) => coefficients.reduce((sum, c, degree) => sum + c * Math.cos(degree * Math.acos(x)), 0);
  expect(value(-1)).toBeCloseTo(1, 5);
  expect(value(1)).toBeCloseTo(0, 5);
  expect(value(Math.cos(Math.PI / 4))).toBeCloseTo((1 - Math.cos(Math.PI / 4) ** 3) / 2, 5);
});

describe('the content tower', () => {
  test('places an item that nobody has by its features', async () => {
    const size = 12;
    const { train } = createCheckerboard(size);
    // Item 12 is new and even, item 13 new and odd.
    const matrix = { ...train, itemCount: size + 2 };
    const lists = {
      offsets: Int32Array.from({ length: size + 3 }, (_, item) => item),
      items: Int32Array.from({ length: size + 2 }, (_, item) => item % 2),
    };
    const factory = createContentFactory({ lists, featureCount: 2 });
    const config = factory.defaultConfig({
      userCount: size,
      itemCount: size + 2,
      interactionCount: train.userRows.length,
    });
    const model = await factory.fit(matrix, config);
    const scores = await model.scoreUsers(Int32Array.of(0, 1));
    expect(scores[12] ?? 0).toBeGreaterThan(scores[13] ?? 0);
    expect(scores[size + 2 + 13] ?? 0).toBeGreaterThan(scores[size + 2 + 12] ?? 0);
  });

  test('recovers vectors that are linear in the features', async () => {
    const degrees = Int32Array.of(100, 100, 100, 0);
    const items = Float32Array.of(1, 0, 0, 1, 1, 1, 9, 9);
    const lists = { offsets: Int32Array.of(0, 1, 2, 4, 6), items: Int32Array.of(0, 1, 0, 1, 0, 1) };
    const features = { lists, featureCount: 2 };
    const options = { regularization: 1e-4, algebra: chooseAlgebra() };
    const tower = await fitContentTower({ items, dimension: 2, degrees }, features, options);
    const placed = placeItems(tower, { offsets: Int32Array.of(0, 2), items: Int32Array.of(0, 1) });
    expect(placed[0]).toBeCloseTo(1, 2);
    expect(placed[1]).toBeCloseTo(1, 2);
    expect(() => placeItems(tower, { offsets: Int32Array.of(0, 1), items: Int32Array.of(2) })).toThrow(RangeError);
  });
});

test('a configuration outside its range is refused by name', async () => {
  const { train } = createCheckerboard(8);
  const size = { userCount: 8, itemCount: 8, interactionCount: 24 };
  const flat = spectral.defaultConfig(size);
  for (const change of [{ dimension: 0 }, { seed: -1 }, { inputPower: Number.NaN }]) {
    await expect(spectral.fit(train, { ...flat, ...change })).rejects.toThrow(ModelConfigError);
  }
  const linear = { ...graphFilter.defaultConfig(size), order: 1.5 };
  await expect(graphFilter.fit(train, linear)).rejects.toThrow('order must be a whole number in [1, 64], got 1.5.');
});

test('BPR says when its learning rate is too high', async () => {
  const { train } = createCheckerboard(8);
  const config = { dimension: 4, learningRate: 10, regularization: 10, epochs: 200, seed: 1 };
  await expect(bpr.fit(train, config)).rejects.toMatchObject({ name: 'BprDivergedError' });
});

describe('chooseModel', () => {
  const { train } = createCheckerboard(20);

  test('takes a model that tells tastes apart over popularity, and fits it on everything', async () => {
    const seen: Trial[] = [];
    const choice = await chooseModel(train, { budgetMs: 20_000, seed: 1, onTrial: (trial) => seen.push(trial) });
    expect(choice.kind).not.toBe('popularity');
    expect(choice.trials).toEqual(seen);
    const best = Math.max(...seen.map(({ ndcg }) => ndcg ?? 0));
    expect(seen.find(({ ndcg }) => ndcg === best)).toMatchObject({ kind: choice.kind, config: choice.config });
    expect(choice.recommender.userCount).toBe(20);
    expect(seen.at(-1)).toMatchObject({ kind: 'lightgcn', ndcg: expect.any(Number), leftOut: null });
  });

  test('leaves out what is too large or has no time left, and says which', async () => {
    const candidates = [
      candidateOf(popularity, {}),
      candidateOf(ease, { regularization: 1, userPower: 0, maxItems: 3 }),
      candidateOf(bpr, { dimension: 64, learningRate: 0.01, regularization: 0, epochs: 100_000, seed: 1 }),
      candidateOf(popularity, {}),
    ];
    const { kind, trials } = await chooseModel(train, { budgetMs: 3000, seed: 1, candidates });
    expect(kind).toBe('popularity');
    expect(trials.map(({ leftOut }) => leftOut)).toEqual([null, 'too large', 'no time', 'no time']);
  });

  test('keeps to models with vectors where an index is to serve them', async () => {
    const choice = await chooseModel(train, { budgetMs: 20_000, seed: 1, vectorsOnly: true });
    expect(choice.recommender.vectors).not.toBeNull();
  });

  test('ends with the reason of its signal, and refuses a choice among none', async () => {
    const signal = AbortSignal.abort(new Error('not now'));
    await expect(chooseModel(train, { budgetMs: 1000, seed: 1, signal })).rejects.toThrow('not now');
    await expect(chooseModel(train, { budgetMs: 1000, seed: 1, candidates: [] })).rejects.toThrow(RangeError);
  });
});

test('measured ranking agrees with a hand: one hit in second place', async () => {
  const train = matrixOf(2, 4, [
    [0, 0],
    [1, 0],
    [1, 1],
    [1, 2],
    [0, 1],
  ]);
  const heldOut = matrixOf(2, 4, [[0, 3]]);
  const model = await popularity.fit(train, {});
  const { userCount, recall, ndcg } = await measureRanking(model, train, heldOut, { cutoff: 2 });
  expect({ userCount, recall }).toEqual({ userCount: 1, recall: 1 });
  expect(ndcg).toBeCloseTo(1 / Math.log2(3), 10);
});
