import { describe, expect, test } from 'vitest';
import { createCheckerboard, matrixOf } from '../../golden/checkerboard.ts';
import { type InteractionMatrix, InteractionDataError, listItemsByUser } from '../interaction-matrix.ts';
import { type FitProgress, ModelTooLargeError, type RecommenderFactory, RecommenderFileError } from '../recommender.ts';
import { chooseAlgebra } from './choose-algebra.ts';
import { selectHistories, singleHistory } from './histories.ts';
import { loadRecommender } from './load-recommender.ts';

export interface SuiteOptions<Config> {
  /** Changes to the default configuration, small enough for tests. */
  readonly config?: Partial<Config>;
  /** The model does not tell users apart. */
  readonly impersonal?: boolean;
  /** Features are of even and odd items: other data have none. */
  readonly checkerboardOnly?: boolean;
}

const SIZE = 16;

function sizeOf(train: InteractionMatrix) {
  return { userCount: train.userCount, itemCount: train.itemCount, interactionCount: train.userRows.length };
}

/** The row of the best score outside `known`. */
function firstOf(scores: Float32Array, known: Int32Array): number {
  let best = -1;
  scores.forEach((score, row) => {
    if (!known.includes(row) && (best < 0 || score > (scores[best] ?? 0))) best = row;
  });
  return best;
}

/** What every recommender must do. */
export function describeRecommender<Config>(
  name: string,
  factory: RecommenderFactory<Config>,
  options: SuiteOptions<Config> = {},
): void {
  const { train, withheld } = createCheckerboard(SIZE);
  const configOf = (matrix: InteractionMatrix): Config => ({
    ...factory.defaultConfig(sizeOf(matrix)),
    ...options.config,
  });
  const fit = (matrix: InteractionMatrix, more = {}) => factory.fit(matrix, configOf(matrix), more);
  const allUsers = Int32Array.from({ length: SIZE }, (_, user) => user);
  const histories = listItemsByUser(train);

  describe(`${name} as a recommender`, () => {
    test('names its source', () => {
      expect(factory.source).toMatch(/\d{4}/);
    });

    if (!options.impersonal)
      test('puts the withheld item of every user of the checkerboard first', async () => {
        const model = await fit(train);
        expect(model).toMatchObject({ kind: factory.kind, userCount: SIZE, itemCount: SIZE });
        for (const scores of [await model.scoreUsers(allUsers), await model.scoreHistories(histories)]) {
          const first = Array.from(allUsers, (user) => {
            const known = histories.items.subarray(histories.offsets[user], histories.offsets[user + 1]);
            return firstOf(scores.subarray(user * SIZE, (user + 1) * SIZE), known);
          });
          expect(first).toEqual(withheld);
        }
      });

    test('gives the same bytes for the same seed, and the same scores after saving and loading', async () => {
      const [model, again] = [await fit(train), await fit(train)];
      const bytes = model.save();
      expect(Buffer.from(again.save()).equals(bytes)).toBe(true);
      const loaded = loadRecommender(bytes);
      expect(loaded).toMatchObject({ kind: factory.kind, userCount: SIZE, itemCount: SIZE });
      expect(await loaded.scoreUsers(allUsers)).toEqual(await model.scoreUsers(allUsers));
      expect(await loaded.scoreHistories(histories)).toEqual(await model.scoreHistories(histories));
      expect(Buffer.from(loaded.save()).equals(bytes)).toBe(true);
    });

    test('scores by the inner product of its vectors, where it has any', async () => {
      const model = await fit(train);
      if (!model.vectors) {
        expect(model.foldIn(histories)).toBeNull();
        return;
      }
      const { users, items, dimension } = model.vectors;
      expect([users.length, items.length]).toEqual([SIZE * dimension, SIZE * dimension]);
      const product = (queries: Float32Array, user: number, item: number) =>
        Array.from({ length: dimension }, (_, k) => {
          return (queries[user * dimension + k] ?? 0) * (items[item * dimension + k] ?? 0);
        }).reduce((sum, value) => sum + value, 0);
      const scores = await model.scoreUsers(allUsers);
      scores.forEach((score, at) => expect(score).toBeCloseTo(product(users, Math.floor(at / SIZE), at % SIZE), 4));
      const folded = await model.foldIn(histories);
      expect(folded).toHaveLength(SIZE * dimension);
      const foldedScores = await model.scoreHistories(histories);
      foldedScores.forEach((score, at) => {
        expect(score).toBeCloseTo(product(folded ?? users, Math.floor(at / SIZE), at % SIZE), 4);
      });
    });

    test('takes a score apart into amounts that sum to it, largest first', async () => {
      const model = await fit(train);
      const history = Int32Array.of(0, 3, 4, 9);
      const scores = await model.scoreHistories(singleHistory(history));
      for (const itemRow of [2, 5, 8]) {
        const { contributions, remainder } = await model.explain(history, itemRow);
        const amounts = contributions.map(({ amount }) => amount);
        expect(amounts).toEqual(amounts.toSorted((a, b) => b - a));
        expect(contributions.every(({ itemRow: row }) => history.includes(row))).toBe(true);
        expect(amounts.reduce((sum, amount) => sum + amount, remainder)).toBeCloseTo(scores[itemRow] ?? 0, 4);
      }
    });

    test('does not mind the order of a history nor repeats in it', async () => {
      const model = await fit(train);
      const plain = await model.scoreHistories(singleHistory(Int32Array.of(1, 4, 9)));
      const messy = await model.scoreHistories(singleHistory(Int32Array.of(9, 4, 1, 4, 4)));
      expect(messy).toEqual(plain);
    });

    test('scores users in any order, repeated or none', async () => {
      const model = await fit(train);
      const all = await model.scoreUsers(allUsers);
      const some = await model.scoreUsers(Int32Array.of(7, 2, 7));
      const rows = [7, 2, 7].flatMap((user) => [...all.subarray(user * SIZE, (user + 1) * SIZE)]);
      some.forEach((score, at) => expect(score).toBeCloseTo(rows[at] ?? 0, 5));
      expect(await model.scoreUsers(new Int32Array(0))).toHaveLength(0);
      expect(await model.scoreHistories(selectHistories(histories, new Int32Array(0)))).toHaveLength(0);
    });

    test('gives finite scores to an empty history', async () => {
      const model = await fit(train);
      const scores = await model.scoreHistories(singleHistory(new Int32Array(0)));
      expect(scores).toHaveLength(SIZE);
      expect(scores.every(Number.isFinite)).toBe(true);
    });

    test('refuses rows outside with a RangeError', async () => {
      const model = await fit(train);
      await expect(model.scoreUsers(Int32Array.of(SIZE))).rejects.toThrow(RangeError);
      await expect(model.scoreUsers(Int32Array.of(-1))).rejects.toThrow(RangeError);
      await expect(model.scoreHistories(singleHistory(Int32Array.of(SIZE)))).rejects.toThrow(RangeError);
      await expect(model.explain(Int32Array.of(0), SIZE)).rejects.toThrow(RangeError);
      await expect(model.explain(Int32Array.of(-1), 0)).rejects.toThrow(RangeError);
    });

    test('reports progress and ends with the reason of its signal', async () => {
      const seen: FitProgress[] = [];
      await fit(train, { onProgress: (progress: FitProgress) => seen.push(progress) });
      expect(seen.length).toBeGreaterThan(0);
      expect(seen.every(({ done, total }) => done >= 1 && done <= total)).toBe(true);
      await expect(fit(train, { signal: AbortSignal.abort(new Error('not now')) })).rejects.toThrow('not now');
      const controller = new AbortController();
      const onProgress = () => controller.abort(new Error('enough'));
      await expect(fit(train, { signal: controller.signal, onProgress })).rejects.toThrow('enough');
    });

    test('estimates memory before it fits, and refuses what is over the limit', async () => {
      const { modelBytes, peakBytes } = factory.estimateMemory(sizeOf(train), configOf(train));
      expect(modelBytes).toBeGreaterThan(0);
      expect(peakBytes).toBeGreaterThanOrEqual(modelBytes);
      await expect(fit(train, { memoryLimitBytes: peakBytes - 1 })).rejects.toThrow(ModelTooLargeError);
      const large = { userCount: 1e6, itemCount: 1e4, interactionCount: 1e7 };
      const bytes = factory.estimateMemory(large, configOf(train)).peakBytes;
      expect(bytes).toBeGreaterThan(peakBytes);
    });

    test('refuses damaged bytes and those of another model', async () => {
      const bytes = (await fit(train)).save();
      for (const length of [0, 7, 40, bytes.length >> 1, bytes.length - 1]) {
        expect(() => factory.load(bytes.subarray(0, length)), `${length} bytes`).toThrow(RecommenderFileError);
      }
      const altered = bytes.slice();
      altered[bytes.length >> 1] = (altered[bytes.length >> 1] ?? 0) ^ 1;
      expect(() => factory.load(altered)).toThrow(RecommenderFileError);
    });

    test('native and plain algebra agree', async () => {
      const algebras = (['native', 'reference'] as const).map((prefer) => chooseAlgebra({ prefer }));
      const [native, plain] = await Promise.all(
        algebras.map(async (algebra) => (await fit(train, { algebra })).scoreUsers(allUsers)),
      );
      const scale = Math.max(...(plain ?? []).map(Math.abs));
      native?.forEach((score, at) => expect(Math.abs(score - (plain?.[at] ?? 0))).toBeLessThan(2e-3 * scale));
    });

    if (!options.checkerboardOnly)
      test('counts repeated interactions once', async () => {
        const pairs = Array.from(train.userRows, (user, at) => [user, train.itemRows[at] ?? 0] as const);
        const twice = matrixOf(SIZE, SIZE, [...pairs, ...pairs.toReversed()]);
        const config = configOf(train);
        const [once, repeated] = [await factory.fit(train, config), await factory.fit(twice, config)];
        expect(await repeated.scoreUsers(allUsers)).toEqual(await once.scoreUsers(allUsers));
      });

    if (!options.checkerboardOnly)
      test.each([
        [
          'one user',
          matrixOf(1, 4, [
            [0, 1],
            [0, 2],
          ]),
        ],
        [
          'one item',
          matrixOf(4, 1, [
            [0, 0],
            [2, 0],
          ]),
        ],
        ['one pair', matrixOf(1, 1, [[0, 0]])],
        [
          'a user and an item that nobody has',
          matrixOf(3, 4, [
            [0, 1],
            [1, 1],
            [0, 3],
            [1, 0],
          ]),
        ],
        [
          'everybody with everything',
          matrixOf(2, 2, [
            [0, 0],
            [0, 1],
            [1, 0],
            [1, 1],
          ]),
        ],
      ])('gives finite scores or a named error for %s', async (_, matrix) => {
        try {
          const model = await fit(matrix);
          const rows = Int32Array.from({ length: matrix.userCount }, (__, user) => user);
          const scores = await model.scoreUsers(rows);
          expect(scores).toHaveLength(matrix.userCount * matrix.itemCount);
          expect(scores.every(Number.isFinite)).toBe(true);
          expect((await model.scoreHistories(singleHistory(Int32Array.of(0)))).every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(InteractionDataError);
        }
      });

    test.each([
      ['EMPTY', matrixOf(2, 2, [])],
      ['EMPTY', matrixOf(0, 0, [])],
      ['ROW_OUT_OF_RANGE', matrixOf(2, 2, [[0, 2]])],
      ['ROW_OUT_OF_RANGE', matrixOf(2, 2, [[-1, 0]])],
      ['NOT_FINITE', { ...matrixOf(2, 2, [[0, 0]]), weights: Float32Array.of(Number.NaN) }],
      ['NOT_FINITE', { ...matrixOf(2, 2, [[0, 0]]), timestamps: Float64Array.of(Number.POSITIVE_INFINITY) }],
      ['LENGTH_MISMATCH', { ...matrixOf(2, 2, [[0, 0]]), itemRows: Int32Array.of(0, 1) }],
    ])('refuses data as %s (%#)', async (reason, matrix) => {
      await expect(fit(matrix)).rejects.toMatchObject({ name: 'InteractionDataError', reason });
    });
  });
}
