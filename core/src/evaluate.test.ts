import { expect, test } from 'vitest';
import { matrixOf } from '../golden/checkerboard.ts';
import { evaluateRanking, evaluateRankingAt } from './evaluate.ts';
import { popularityScores } from './popularity.ts';
import { seedRandom, nextNormal } from './random.ts';
import { scoreItems, topRows } from './scoring.ts';

const EMPTY = matrixOf(2, 4, []);

test('metrics of a small case agree with the hand calculation', () => {
  const heldOut = matrixOf(2, 4, [
    [0, 1],
    [0, 3],
    [1, 0],
  ]);
  // Everybody's list is 0, 1 (then 2, 3); user 0 hits at rank 2 one of two, user 1 hits at rank 1.
  const report = evaluateRankingAt({ scores: Float64Array.of(4, 3, 2, 1) }, EMPTY, heldOut, { cutoff: 2 });
  const ideal = 1 + 1 / Math.log2(3);
  expect(report.userCount).toBe(2);
  expect(report.ndcg).toBeCloseTo((1 / Math.log2(3) / ideal + 1) / 2, 12);
  expect(report.recall).toBeCloseTo((0.5 + 1) / 2, 12);
  expect(report.hitRate).toBe(1);
  expect(report.coverage).toBe(0.5);
});

test('train and masked items never stand in a list', () => {
  const train = matrixOf(1, 4, [[0, 0]]);
  const masked = matrixOf(1, 4, [[0, 1]]);
  const ranker = { scores: Float64Array.of(4, 3, 2, 1) };
  const report = evaluateRankingAt(ranker, train, matrixOf(1, 4, [[0, 2]]), { cutoff: 1, masked });
  expect(report.ndcg).toBe(1);
});

test('only users with held-out items are evaluated', () => {
  const report = evaluateRankingAt({ scores: new Float64Array(4) }, EMPTY, matrixOf(2, 4, [[1, 0]]), { cutoff: 4 });
  expect(report.userCount).toBe(1);
});

test('no held-out item at all gives zeros', () => {
  const metrics = evaluateRanking({ scores: new Float64Array(4) }, EMPTY, EMPTY);
  expect(metrics).toEqual({ ndcgAt10: 0, recallAt10: 0, hitRateAt10: 0, coverageAt10: 0 });
});

test('a cut-off beyond the number of items is no error', () => {
  const report = evaluateRankingAt({ scores: new Float64Array(4) }, EMPTY, matrixOf(2, 4, [[0, 3]]), { cutoff: 50 });
  expect(report).toMatchObject({ recall: 1, coverage: 1 });
});

test('vectors rank by inner product', () => {
  const ranker = {
    userVectors: Float32Array.of(1, 0, 0, 1),
    itemVectors: Float32Array.of(1, 9, 9, 1, 0, 0, 5, 5),
    dimension: 2,
  };
  const heldOut = matrixOf(2, 4, [
    [0, 1],
    [1, 0],
  ]);
  expect(evaluateRankingAt(ranker, EMPTY, heldOut, { cutoff: 1 }).ndcg).toBe(1);
});

test('a NaN anywhere in the vectors or scores is a named error', () => {
  const bad = new Float32Array(8);
  bad[5] = Number.NaN;
  const heldOut = matrixOf(2, 4, [[0, 1]]);
  const vectors = { userVectors: new Float32Array(4), itemVectors: bad, dimension: 2 };
  expect(() => evaluateRanking(vectors, EMPTY, heldOut)).toThrow('itemVectors[5]');
  const scores = { scores: Float64Array.of(1, 2, 3, Number.NaN) };
  expect(() => evaluateRanking(scores, EMPTY, heldOut)).toThrow(
    expect.objectContaining({ name: 'ScoreNotFiniteError' }),
  );
});

test('arrays that do not fit the matrix are refused', () => {
  expect(() => evaluateRanking({ scores: new Float64Array(3) }, EMPTY, EMPTY)).toThrow('scores has 3 values, wanted 4');
});

test('popularity counts users, not repeats', () => {
  expect([
    ...popularityScores(
      matrixOf(2, 3, [
        [0, 1],
        [0, 1],
        [1, 1],
        [1, 2],
      ]),
    ),
  ]).toEqual([0, 2, 1]);
});

test('the top rows of random scores with ties are those of a full sort', () => {
  const random = seedRandom(8);
  for (let round = 0; round < 50; round++) {
    const scores = Float64Array.from({ length: 97 }, () => Math.round(nextNormal(random) * 5));
    const sorted = [...scores.keys()].toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
    expect([...topRows(scores, 20)]).toEqual(sorted.slice(0, 20));
  }
});

test.each([1, 3, 4, 7])('scores of %i items equal the plain inner products', (itemCount) => {
  const items = Float32Array.from({ length: itemCount * 3 }, (_, index) => index - 4);
  const scores = new Float64Array(itemCount);
  scoreItems(items, Float64Array.of(1, -2, 3), scores);
  const plain = Array.from(scores, (_, item) => {
    const [a = 0, b = 0, c = 0] = items.subarray(item * 3, item * 3 + 3);
    return a - 2 * b + 3 * c;
  });
  expect([...scores]).toEqual(plain);
});
