import { describe, expect, test } from 'vitest';
import { matrixOf } from '../../golden/checkerboard.ts';
import { InteractionDataError, type InteractionMatrix } from '../interaction-matrix.ts';
import type { BackendOptions } from '../lightgcn/backend.ts';
import { createLightGcn, embeddings, trainEpoch } from '../lightgcn/light-gcn.ts';
import { loadLightGcnAddon } from '../lightgcn/native-addon.ts';
import { ModelTooLargeError } from '../recommender.ts';
import { bpr } from './bpr.ts';
import { createContentFactory } from './content-tower.ts';
import { ease } from './ease.ts';
import { graphFilter } from './graph-filter.ts';
import { singleHistory } from './histories.ts';
import { ials } from './ials.ts';
import { itemKnn } from './item-knn.ts';
import { lightGcn } from './lightgcn-recommender.ts';
import { popularity } from './popularity-model.ts';
import { spectral } from './spectral.ts';

/** Fits, and gives the scores of some users and of one history. */
type Attempt = (train: InteractionMatrix) => Promise<Float32Array[]>;

interface Fitted {
  scoreUsers(rows: Int32Array): Promise<Float32Array>;
  scoreHistories(histories: ReturnType<typeof singleHistory>): Promise<Float32Array>;
}

async function scoresOf(model: Fitted, { userCount }: InteractionMatrix): Promise<Float32Array[]> {
  const users = Int32Array.from({ length: Math.min(3, userCount) }, (_, user) => user);
  return [await model.scoreUsers(users), await model.scoreHistories(singleHistory(Int32Array.of(0)))];
}

/** Counts that are none still get a configuration: the data are to be refused, not that. */
const sizeOf = ({ userCount, itemCount, userRows }: InteractionMatrix) => {
  const countOf = (count: number) => (Number.isInteger(count) && count > 0 ? count : 1);
  return { userCount: countOf(userCount), itemCount: countOf(itemCount), interactionCount: userRows.length };
};

/** Every item of any data has the one feature. */
const contentOf = (train: InteractionMatrix) => {
  const { itemCount } = sizeOf(train);
  const offsets = Int32Array.from({ length: itemCount + 1 }, (_, item) => item);
  return createContentFactory({ lists: { offsets, items: new Int32Array(itemCount) }, featureCount: 1 });
};

const SHORT = { epochs: 2, dimension: 8 };

const RECOMMENDERS: Record<string, Attempt> = {
  popularity: async (train) => scoresOf(await popularity.fit(train, {}), train),
  'item-knn': async (train) => scoresOf(await itemKnn.fit(train, itemKnn.defaultConfig(sizeOf(train))), train),
  spectral: async (train) => scoresOf(await spectral.fit(train, spectral.defaultConfig(sizeOf(train))), train),
  'graph-filter': async (train) =>
    scoresOf(await graphFilter.fit(train, graphFilter.defaultConfig(sizeOf(train))), train),
  ease: async (train) => scoresOf(await ease.fit(train, ease.defaultConfig(sizeOf(train))), train),
  ials: async (train) => scoresOf(await ials.fit(train, { ...ials.defaultConfig(sizeOf(train)), ...SHORT }), train),
  bpr: async (train) => scoresOf(await bpr.fit(train, { ...bpr.defaultConfig(sizeOf(train)), ...SHORT }), train),
  lightgcn: async (train) => {
    return scoresOf(await lightGcn.fit(train, { ...lightGcn.defaultConfig(sizeOf(train)), ...SHORT }), train);
  },
  content: async (train) => {
    const factory = contentOf(train);
    return scoresOf(await factory.fit(train, factory.defaultConfig(sizeOf(train))), train);
  },
};

/** One epoch of each loss, and the final vectors. */
async function trainBriefly(train: InteractionMatrix, options: BackendOptions): Promise<Float32Array[]> {
  const tables: Float32Array[] = [];
  for (const loss of ['bpr', 'softmax'] as const) {
    const settings = { learningRate: 0.01, regularization: 1e-4, batchSize: 1 << 17, patience: 1, seed: 1, ...SHORT };
    const model = await createLightGcn(train, { ...settings, layers: 2, loss, negatives: 256, userGroup: 64 }, options);
    try {
      await trainEpoch(model);
      const { users, items } = await embeddings(model);
      tables.push(users, items);
    } finally {
      model.backend.close();
    }
  }
  return tables;
}

const { addon } = loadLightGcnAddon();
const BACKENDS: Record<string, Attempt> = {
  'LightGCN, reference': (train) => trainBriefly(train, { backend: 'reference' }),
  ...Object.fromEntries(
    (addon?.instructionSets ?? []).map((instructionSet) => [
      `LightGCN, native ${instructionSet}`,
      (train: InteractionMatrix) => trainBriefly(train, { backend: 'native', instructionSet, threads: 2 }),
    ]),
  ),
};

const two = matrixOf(2, 2, [[0, 0]]);
const everyUser = (count: number, itemOf: (user: number) => number): InteractionMatrix => ({
  ...matrixOf(count, 2, []),
  userRows: Int32Array.from({ length: count }, (_, user) => user),
  itemRows: Int32Array.from({ length: count }, (_, user) => itemOf(user)),
  weights: new Float32Array(count).fill(1),
  timestamps: new Float64Array(count),
});
const turned = ({ userCount, itemCount, userRows, itemRows, ...columns }: InteractionMatrix): InteractionMatrix => {
  return { ...columns, userCount: itemCount, itemCount: userCount, userRows: itemRows, itemRows: userRows };
};

/** What no model takes: the closed reason, and what the message says was wanted and came. */
const REFUSED: readonly [string, InteractionMatrix, string, RegExp][] = [
  ['no interactions', matrixOf(2, 2, []), 'EMPTY', /at least one interaction|interactions to train on, got 0/],
  ['no users and no items', matrixOf(0, 0, []), 'EMPTY', /got 0/],
  ['interactions of no users', { ...two, userCount: 0 }, 'ROW_OUT_OF_RANGE', /user row 0 at position 0 .* \[0, 0\)/],
  ['a user row past the end', matrixOf(2, 2, [[2, 0]]), 'ROW_OUT_OF_RANGE', /user row 2 at position 0 .* \[0, 2\)/],
  ['an item row past the end', matrixOf(2, 2, [[1, 7]]), 'ROW_OUT_OF_RANGE', /item row 7 at position 0 .* \[0, 2\)/],
  ['a negative user row', matrixOf(2, 2, [[-1, 0]]), 'ROW_OUT_OF_RANGE', /user row -1 at position 0/],
  ['a negative item row', matrixOf(2, 2, [[0, -3]]), 'ROW_OUT_OF_RANGE', /item row -3 at position 0/],
  ['a weight of NaN', { ...two, weights: Float32Array.of(Number.NaN) }, 'NOT_FINITE', /weights\[0\] is NaN/],
  ['an infinite weight', { ...two, weights: Float32Array.of(-1 / 0) }, 'NOT_FINITE', /weights\[0\] is -Infinity/],
  ['a time of NaN', { ...two, timestamps: Float64Array.of(Number.NaN) }, 'NOT_FINITE', /timestamps\[0\] is NaN/],
  ['an infinite time', { ...two, timestamps: Float64Array.of(1 / 0) }, 'NOT_FINITE', /timestamps\[0\] is Infinity/],
  ['fewer items than users', { ...two, itemRows: new Int32Array(0) }, 'LENGTH_MISMATCH', /one length, got 1, 0, 1, 1/],
  ['fewer weights', { ...two, weights: new Float32Array(0) }, 'LENGTH_MISMATCH', /one length, got 1, 1, 0, 1/],
  ['fewer times', { ...two, timestamps: new Float64Array(0) }, 'LENGTH_MISMATCH', /one length, got 1, 1, 1, 0/],
  ['a fractional number of users', { ...two, userCount: 1.5 }, 'BAD_COUNT', /userCount .* got 1\.5/],
  ['a negative number of items', { ...two, itemCount: -2 }, 'BAD_COUNT', /itemCount .* got -2/],
  ['NaN items', { ...two, itemCount: Number.NaN }, 'BAD_COUNT', /itemCount .* got NaN/],
];

/** What has a result, or has nothing to rank. */
const WORLDS: Record<string, InteractionMatrix> = {
  'one user': matrixOf(1, 4, [
    [0, 1],
    [0, 2],
  ]),
  'one item': matrixOf(4, 1, [
    [0, 0],
    [2, 0],
  ]),
  'one user with one item': matrixOf(1, 1, [[0, 0]]),
  'one pair among many': matrixOf(5, 6, [[3, 2]]),
  'one pair a thousand times': matrixOf(
    3,
    3,
    Array.from({ length: 1000 }, () => [1, 2] as const),
  ),
  'weights of zero and below': {
    ...matrixOf(2, 3, [
      [0, 0],
      [1, 2],
    ]),
    weights: Float32Array.of(0, -5),
  },
  'times before 1970': {
    ...matrixOf(2, 3, [
      [0, 0],
      [1, 2],
    ]),
    timestamps: Float64Array.of(-1e15, 0),
  },
};

async function expectFinite(attempt: Attempt, train: InteractionMatrix): Promise<void> {
  let scores: Float32Array[];
  try {
    scores = await attempt(train);
  } catch (error) {
    expect(error).toMatchObject({ name: 'InteractionDataError', reason: 'NO_NEGATIVES' });
    expect((error as InteractionDataError).message).toMatch(/all \d+ items/);
    return;
  }
  expect(scores.length).toBeGreaterThan(0);
  for (const part of scores) expect(part.every(Number.isFinite)).toBe(true);
}

describe.each(Object.entries({ ...RECOMMENDERS, ...BACKENDS }))('odd inputs to %s', (_, attempt) => {
  test.each(REFUSED)('%s: refused by name, with what was wanted and what came', async (__, train, reason, message) => {
    const error: unknown = await attempt(train).then(
      () => 'a result',
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(InteractionDataError);
    expect(error).toMatchObject({ reason, message: expect.stringMatching(message) });
  });

  test.each(Object.entries(WORLDS))('%s: a finite result, or nothing to rank', async (__, train) => {
    await expectFinite(attempt, train);
  });
});

const MILLION = 1_000_000;
const itemOfMillion = everyUser(MILLION, (user) => (user === 7 ? 1 : 0));

/** A node of degree a million, or as many repeats. */
const LARGE: Record<string, InteractionMatrix> = {
  'a user with a million interactions over four items': {
    ...everyUser(MILLION, (position) => position % 4),
    userCount: 2,
    itemCount: 5,
    userRows: new Int32Array(MILLION),
  },
  'an item of a million users': itemOfMillion,
  'a user with a million items': turned(itemOfMillion),
};

describe.each(Object.entries({ ...RECOMMENDERS, ...BACKENDS }))('a degree of a million to %s', (_, attempt) => {
  test.each(Object.entries(LARGE))(
    '%s: a finite result, or too large by name',
    async (__, train) => {
      const attempted = attempt(train);
      await expectFinite(() => attempted.catch(tellTooLarge), train);
    },
    120_000,
  );
});

/** A refusal before the work begins is an answer too, where it says how much would be needed and allowed. */
function tellTooLarge(error: unknown): Float32Array[] {
  if (!(error instanceof ModelTooLargeError)) throw error;
  expect(error.message).toMatch(/\d.* (more than|at most) .*\d/);
  return [new Float32Array(1)];
}
