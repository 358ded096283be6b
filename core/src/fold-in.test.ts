import { expect, test } from 'vitest';
import { createCheckerboard } from '../golden/checkerboard.ts';
import { explainScore, type FoldInModel, foldInUser } from './fold-in.ts';
import { countUsersByItem } from './interaction-matrix.ts';
import { createLightGcn, embeddings, trainEpoch } from './lightgcn/light-gcn.ts';
import { chooseAlgebra } from './models/choose-algebra.ts';
import { fitFoldInMap } from './models/fold-in-map.ts';

const MODEL: FoldInModel = {
  dimension: 2,
  items: Float32Array.of(1, 0, 0, 2, 3, 3, 9, 9),
  itemDegrees: Int32Array.of(1, 4, 9, 0),
  foldInPower: 0.5,
  foldInMap: null,
};
const MAPPED: FoldInModel = { ...MODEL, foldInPower: 0, foldInMap: Float32Array.of(0, 1, 2, 3) };

test('a folded-in user is the degree-weighted sum of the item vectors over the root of their number', () => {
  const [x = 0, y = 0] = foldInUser(MODEL, [0, 1]);
  expect(x).toBeCloseTo(1 / Math.sqrt(2), 6);
  expect(y).toBeCloseTo(2 / 2 / Math.sqrt(2), 6);
});

test('a model with a map sends the plain sum through it', () => {
  const [x = 0, y = 0] = foldInUser(MAPPED, [0, 1]);
  // (1, 2) / sqrt(2) times ((0, 1), (2, 3))
  expect(x).toBeCloseTo(4 / Math.sqrt(2), 6);
  expect(y).toBeCloseTo(7 / Math.sqrt(2), 6);
});

test('repeats count once and items without training users do not count', () => {
  expect(foldInUser(MODEL, [0, 1, 1, 3])).toEqual(foldInUser(MODEL, [0, 1]));
});

test('a user without usable items folds in to zeros', () => {
  expect([...foldInUser(MODEL, [])]).toEqual([0, 0]);
  expect([...foldInUser(MODEL, [3])]).toEqual([0, 0]);
});

test.each([-1, 4, 0.5, Number.NaN])('item row %d is refused', (row) => {
  expect(() => foldInUser(MODEL, [row])).toThrow(RangeError);
  expect(() => explainScore(MODEL, [0], row)).toThrow(RangeError);
});

test.each([
  ['without a map', MODEL],
  ['with a map', MAPPED],
])('contributions sum to the score of the folded-in user, largest first, %s', (_, model) => {
  const rows = [0, 1, 2];
  const vector = foldInUser(model, rows);
  const contributions = explainScore(model, rows, 2);
  const score = (vector[0] ?? 0) * 3 + (vector[1] ?? 0) * 3;
  expect(contributions.reduce((sum, { amount }) => sum + amount, 0)).toBeCloseTo(score, 5);
  expect(contributions.map(({ amount }) => amount)).toEqual(
    contributions.map(({ amount }) => amount).toSorted((a, b) => b - a),
  );
});

test('after training, a new user of one taste gets the items of that taste', async () => {
  const { train } = createCheckerboard(16);
  const settings = {
    dimension: 8,
    layers: 2,
    learningRate: 0.05,
    regularization: 1e-4,
    batchSize: 64,
    epochs: 1,
    patience: 1,
    seed: 1,
  };
  const model = await createLightGcn(train, settings);
  for (let epoch = 0; epoch < 40; epoch++) await trainEpoch(model);
  const vectors = await embeddings(model);
  const { items, dimension } = vectors;
  const foldInMap = await fitFoldInMap(train, vectors, chooseAlgebra());
  const foldIn = { dimension, items, itemDegrees: countUsersByItem(train), foldInPower: 0, foldInMap };
  const vector = foldInUser(foldIn, [1, 3]);
  const score = (item: number) =>
    vector.reduce((sum, value, column) => sum + value * (items[item * 8 + column] ?? 0), 0);
  const ranked = Array.from({ length: 16 }, (_, item) => item).toSorted((a, b) => score(b) - score(a));
  expect(ranked.slice(0, 8).every((item) => item % 2 === 1)).toBe(true);
});
