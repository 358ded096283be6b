import { expect, test } from 'vitest';
import { createCheckerboard, matrixOf } from '../golden/checkerboard.ts';
import { deduplicateInteractions, type InteractionMatrix, listItemsByUser } from './interaction-matrix.ts';
import { splitPerUser } from './split.ts';

const TEMPORAL = { strategy: 'temporal', validationShare: 0.1, testShare: 0.1, seed: 1 } as const;

const pairsOf = (matrix: InteractionMatrix) =>
  Array.from(matrix.userRows, (user, index) => `${user}:${matrix.itemRows[index]}`);

test('a temporal split tests on the newest, validates on those before and trains on the rest', () => {
  const items = Array.from({ length: 10 }, (_, item) => [0, 9 - item] as const);
  const { train, validation, test: held } = splitPerUser(matrixOf(1, 10, items), TEMPORAL);
  expect([...held.itemRows]).toEqual([0]);
  expect([...validation.itemRows]).toEqual([1]);
  expect([...train.itemRows]).toEqual([9, 8, 7, 6, 5, 4, 3, 2]);
});

test.each(['temporal', 'random'] as const)('a %s split puts every distinct pair in exactly one part', (strategy) => {
  const { train: world } = createCheckerboard(20);
  const { train, validation, test: held } = splitPerUser(world, { ...TEMPORAL, strategy });
  const all = [train, validation, held].flatMap(pairsOf);
  expect(new Set(all)).toEqual(new Set(pairsOf(world)));
  expect(all).toHaveLength(world.userRows.length);
});

test('a user with fewer than five items keeps them all for training', () => {
  const {
    train,
    validation,
    test: held,
  } = splitPerUser(
    matrixOf(1, 4, [
      [0, 0],
      [0, 1],
      [0, 2],
      [0, 3],
    ]),
    TEMPORAL,
  );
  expect([train, validation, held].map((part) => part.userRows.length)).toEqual([4, 0, 0]);
});

test('a repeated pair counts once, at its first time, and never stands in two parts', () => {
  const pairs = [0, 1, 2, 3, 4, 0].map((item) => [0, item] as const);
  const { train, test: held } = splitPerUser(matrixOf(1, 5, pairs), TEMPORAL);
  expect([...held.itemRows]).toEqual([4]);
  expect([...train.itemRows]).toEqual([0, 1, 2]);
});

test('a random split depends on its seed alone', () => {
  const { train: world } = createCheckerboard(20);
  const heldOut = (seed: number) => pairsOf(splitPerUser(world, { ...TEMPORAL, strategy: 'random', seed }).test);
  expect(heldOut(1)).toEqual(heldOut(1));
  expect(heldOut(1)).not.toEqual(heldOut(2));
});

test('shares that leave nothing to train on are refused', () => {
  const { train: world } = createCheckerboard(4);
  expect(() => splitPerUser(world, { ...TEMPORAL, testShare: 0.95 })).toThrow(RangeError);
});

test.each([
  ['LENGTH_MISMATCH', { itemRows: new Int32Array(1) }],
  ['ROW_OUT_OF_RANGE', { userRows: Int32Array.of(0, 7) }],
  ['NOT_FINITE', { timestamps: Float64Array.of(0, Number.NaN) }],
  ['NOT_FINITE', { weights: Float32Array.of(1, Number.POSITIVE_INFINITY) }],
])('a broken matrix is refused with reason %s', (reason, broken) => {
  const matrix = {
    ...matrixOf(2, 2, [
      [0, 0],
      [1, 1],
    ]),
    ...broken,
  };
  expect(() => splitPerUser(matrix, TEMPORAL)).toThrow(expect.objectContaining({ reason }));
});

test('an empty matrix splits into three empty parts', () => {
  const { train, validation, test: held } = splitPerUser(matrixOf(0, 0, []), TEMPORAL);
  expect([train, validation, held].map((part) => part.userRows.length)).toEqual([0, 0, 0]);
});

test('items are listed by user, sorted and without repeats, over several matrices', () => {
  const lists = listItemsByUser(
    matrixOf(2, 4, [
      [1, 3],
      [0, 2],
      [1, 0],
    ]),
    matrixOf(2, 4, [
      [1, 3],
      [1, 1],
    ]),
  );
  expect([...lists.offsets]).toEqual([0, 1, 4]);
  expect([...lists.items]).toEqual([2, 0, 1, 3]);
});

test('deduplication keeps the earliest of a pair wherever it stands', () => {
  const matrix = {
    ...matrixOf(1, 1, [
      [0, 0],
      [0, 0],
    ]),
    timestamps: Float64Array.of(9, 4),
  };
  expect([...deduplicateInteractions(matrix).timestamps]).toEqual([4]);
});
