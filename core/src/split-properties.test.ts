import { describe, expect, test } from 'vitest';
import { matrixOf } from '../golden/checkerboard.ts';
import { deduplicateInteractions, type InteractionMatrix } from './interaction-matrix.ts';
import { nextBelow, seedRandom, shuffle } from './random.ts';
import { useGivenSplit } from './split-given.ts';
import { splitGlobally } from './split-globally.ts';
import { splitPerUser } from './split.ts';

/** A random matrix with repeats, few instants (so that many are equal), and users and items without interactions. */
function randomMatrix(seed: number): InteractionMatrix {
  const random = seedRandom(seed);
  const [users, items] = [1 + nextBelow(random, 12), 1 + nextBelow(random, 30)];
  const length = nextBelow(random, 200);
  const instants = 1 + nextBelow(random, 60);
  const draw = (bound: number) => Array.from({ length }, () => nextBelow(random, bound));
  const [userRows, itemRows] = [draw(users), draw(items)];
  const matrix = matrixOf(
    users,
    items,
    userRows.map((user, at) => [user, itemRows[at] ?? 0]),
  );
  return { ...matrix, timestamps: Float64Array.from(draw(instants)) };
}

const rowsOf = (matrix: InteractionMatrix) =>
  Array.from(matrix.userRows, (user, at) => `${user}:${matrix.itemRows[at]}@${matrix.timestamps[at]}`);
const pairsOf = (matrix: InteractionMatrix) => rowsOf(matrix).map((row) => row.slice(0, row.indexOf('@')));
const timesOf = (matrix: InteractionMatrix, user?: number) =>
  [...matrix.timestamps].filter((_, at) => user === undefined || matrix.userRows[at] === user);

/** The same interactions in another order. */
function reordered(matrix: InteractionMatrix, seed: number): InteractionMatrix {
  const order = Int32Array.from(matrix.userRows.keys());
  shuffle(seedRandom(seed), order);
  return {
    ...matrix,
    userRows: order.map((at) => matrix.userRows[at] ?? 0),
    itemRows: order.map((at) => matrix.itemRows[at] ?? 0),
    timestamps: Float64Array.from(order, (at) => matrix.timestamps[at] ?? 0),
  };
}

const SHARES = [
  { validationShare: 0.1, testShare: 0.1 },
  { validationShare: 0, testShare: 0.25 },
  { validationShare: 0.3, testShare: 0.6 },
  { validationShare: 0, testShare: 0 },
];
const SPLITS = {
  'random per user': (matrix: InteractionMatrix, shares: (typeof SHARES)[number]) =>
    splitPerUser(matrix, { strategy: 'random', seed: 3, ...shares }),
  'temporal per user': (matrix: InteractionMatrix, shares: (typeof SHARES)[number]) =>
    splitPerUser(matrix, { strategy: 'temporal', seed: 3, ...shares }),
  'global temporal': splitGlobally,
};
const SEEDS = Array.from({ length: 60 }, (_, seed) => seed);

describe.each(Object.entries(SPLITS))('a %s split of any matrix', (_name, split) => {
  const eachCase = (check: (matrix: InteractionMatrix, shares: (typeof SHARES)[number], seed: number) => void) => {
    for (const seed of SEEDS)
      check(randomMatrix(seed), SHARES[seed % SHARES.length] ?? { validationShare: 0, testShare: 0 }, seed);
  };

  test('puts every distinct pair, at its first time, in exactly one part', () => {
    eachCase((matrix, shares) => {
      const { train, validation, test: held } = split(matrix, shares);
      const all = [train, validation, held].flatMap(rowsOf);
      expect(all.toSorted()).toEqual(rowsOf(deduplicateInteractions(matrix)).toSorted());
    });
  });

  test('keeps the numbers of users and items', () => {
    eachCase((matrix, shares) => {
      for (const part of [split(matrix, shares).train, split(matrix, shares).test]) {
        expect([part.userCount, part.itemCount]).toEqual([matrix.userCount, matrix.itemCount]);
      }
    });
  });

  test('does not depend on the order in which interactions came', () => {
    eachCase((matrix, shares, seed) => {
      const [first, second] = [split(matrix, shares), split(reordered(matrix, seed), shares)];
      for (const part of ['train', 'validation', 'test'] as const) {
        expect(rowsOf(first[part])).toEqual(rowsOf(second[part]));
      }
    });
  });

  test('leaves more than nothing to train on, and holds nothing out for a share of 0', () => {
    eachCase((matrix, shares) => {
      const { train, validation, test: held } = split(matrix, shares);
      if (matrix.userRows.length > 0) expect(train.userRows.length).toBeGreaterThan(0);
      if (shares.validationShare === 0) expect(validation.userRows).toHaveLength(0);
      if (shares.testShare === 0) expect(held.userRows).toHaveLength(0);
    });
  });
});

test('per user, times rise from train over validation to test', () => {
  for (const seed of SEEDS) {
    const matrix = randomMatrix(seed);
    const parts = SPLITS['temporal per user'](matrix, { validationShare: 0.2, testShare: 0.2 });
    for (let user = 0; user < matrix.userCount; user++) {
      const [train, validation, held] = [parts.train, parts.validation, parts.test].map((part) => timesOf(part, user));
      expect(Math.max(...(train ?? []))).toBeLessThanOrEqual(Math.min(...(validation ?? [])));
      expect(Math.max(...(validation ?? []))).toBeLessThanOrEqual(Math.min(...(held ?? [])));
    }
  }
});

test('globally, no instant stands in two parts and no part exceeds its share', () => {
  for (const seed of SEEDS) {
    const matrix = randomMatrix(seed);
    const shares = { validationShare: 0.2, testShare: 0.3 };
    const { train, validation, test: held, validationStart, testStart } = splitGlobally(matrix, shares);
    const before = validationStart ?? testStart ?? Number.POSITIVE_INFINITY;
    expect(timesOf(train).every((time) => time < before)).toBe(true);
    expect(timesOf(validation).every((time) => time >= before && time < (testStart ?? Number.POSITIVE_INFINITY))).toBe(
      true,
    );
    expect(timesOf(held).every((time) => time >= (testStart ?? Number.POSITIVE_INFINITY))).toBe(true);
    const total = deduplicateInteractions(matrix).userRows.length;
    expect(held.userRows.length).toBeLessThanOrEqual(0.3 * total);
    expect(validation.userRows.length).toBeLessThanOrEqual(0.2 * total);
  }
});

test('a global split of distinct instants takes exactly the newest', () => {
  const matrix = matrixOf(
    2,
    10,
    Array.from({ length: 10 }, (_, item) => [item % 2, item]),
  );
  const parts = splitGlobally(matrix, { validationShare: 0.1, testShare: 0.2 });
  expect(parts).toMatchObject({ validationStart: 7, testStart: 8 });
  expect(new Set(parts.test.itemRows)).toEqual(new Set([8, 9]));
  expect([...parts.validation.itemRows]).toEqual([7]);
});

test('interactions of one instant cannot be split by time', () => {
  const matrix = {
    ...matrixOf(1, 4, [
      [0, 0],
      [0, 1],
      [0, 2],
    ]),
    timestamps: new Float64Array(3),
  };
  expect(splitGlobally(matrix, { validationShare: 0.3, testShare: 0.4 })).toMatchObject({
    validationStart: null,
    testStart: null,
    train: { userRows: Int32Array.of(0, 0, 0) },
  });
});

test('a given split keeps its parts and takes leaks out of the later ones', () => {
  const split = useGivenSplit({
    train: matrixOf(2, 4, [
      [0, 0],
      [1, 1],
      [0, 0],
    ]),
    validation: matrixOf(2, 4, [
      [0, 1],
      [1, 1],
    ]),
    test: matrixOf(2, 4, [
      [0, 0],
      [0, 1],
      [1, 3],
      [1, 3],
    ]),
  });
  expect(split.leakedCount).toBe(3);
  expect([split.train, split.validation, split.test].map(pairsOf)).toEqual([['0:0', '1:1'], ['0:1'], ['1:3']]);
});

test('a given split without validation cuts it from train alone, by seed', () => {
  for (const seed of SEEDS) {
    const [train, heldOut] = [randomMatrix(seed), randomMatrix(seed)];
    const cut = { strategy: 'random', share: 0.2, seed } as const;
    const given = { train, test: { ...heldOut, userRows: heldOut.userRows.toReversed() }, cut };
    const split = useGivenSplit(given);
    expect([split.train, split.validation].flatMap(pairsOf).toSorted()).toEqual(
      pairsOf(deduplicateInteractions(train)).toSorted(),
    );
    const known = new Set(pairsOf(train));
    expect(pairsOf(split.test).every((pair) => !known.has(pair))).toBe(true);
    expect(useGivenSplit(given)).toEqual(split);
    expect(pairsOf(useGivenSplit({ ...given, cut: undefined }).validation)).toEqual([]);
  }
});

test('parts of different shapes are refused', () => {
  expect(() => useGivenSplit({ train: matrixOf(1, 2, []), test: matrixOf(1, 3, []) })).toThrow('test has 1 x 3');
});
