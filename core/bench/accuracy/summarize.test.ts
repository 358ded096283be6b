import { expect, test } from 'vitest';
import type { ModelRun } from './measure-model.ts';
import { summarizeModels } from './summarize.ts';

const NOTHING = { coverage: 0, gini: 0, novelty: 0, averagePopularity: 0 };

function runOf(seed: number, ndcg: readonly number[]): ModelRun {
  const values = Float64Array.from(ndcg);
  const [reciprocalRank, averagePrecision, hit] = [values, values, values];
  return {
    seed,
    note: `seed ${seed}`,
    fitting: { seconds: seed, cpuSeconds: 2 * seed, peakMB: 10 },
    estimatedMB: 8,
    scoring: { seconds: 1, cpuSeconds: 1, peakMB: 1 },
    engine: 'by hand',
    byUser: { recall: values.map((value) => value / 2), ndcg: values, reciprocalRank, averagePrecision, hit },
    exposure: NOTHING,
    activityBuckets: [],
    foldInNdcg: 0.3,
  };
}

const EASY_AND_HARD = Array.from({ length: 200 }, (_, user) => (user % 10) / 10);
const ABOVE = EASY_AND_HARD.map((value, user) => value + (user % 3) * 0.02);

test('a row has the mean and deviation over seeds and an interval over users', () => {
  const [row] = summarizeModels(new Map([['own', [runOf(1, EASY_AND_HARD), runOf(3, ABOVE)]]]));
  const means = [EASY_AND_HARD, ABOVE].map((values) => values.reduce((a, b) => a + b, 0) / values.length);
  const [first = 0, second = 0] = means;
  expect(row?.quality.ndcg.spread.mean).toBeCloseTo((first + second) / 2, 12);
  expect(row?.quality.ndcg.spread.deviation).toBeCloseTo((second - first) / Math.SQRT2, 12);
  expect(row?.quality.ndcg.interval.mean).toBeCloseTo((first + second) / 2, 12);
  expect(row?.quality.ndcg.interval.low).toBeLessThan(first);
  expect(row?.quality.recall.spread.mean).toBeCloseTo((first + second) / 4, 12);
  expect(row?.fitSeconds).toMatchObject({ mean: 2, deviation: Math.SQRT2 });
  expect(row?.foldInShare).toBeCloseTo(0.3 / ((first + second) / 2), 12);
  expect(row).toMatchObject({ notes: ['seed 1', 'seed 3'], userCount: 200 });
});

test('a small difference to a baseline is found in pairs of users, and a baseline has none to itself', () => {
  const runs = new Map([
    ['popularity', [runOf(1, EASY_AND_HARD)]],
    ['own', [runOf(1, ABOVE)]],
  ]);
  const [baseline, own] = summarizeModels(runs);
  expect(baseline?.ndcgAbove).toEqual({ popularity: null, spectral: null });
  expect(own?.ndcgAbove.popularity?.low).toBeGreaterThan(0);
  expect(own?.ndcgAbove.popularity?.mean).toBeCloseTo(0.0199, 3);
  expect(own?.quality.ndcg.interval.low).toBeLessThan(baseline?.quality.ndcg.interval.high ?? 0);
});

test('a model that does not fit the data has no row, and one that measured other users is refused', () => {
  expect(summarizeModels(new Map([['own', []]]))).toEqual([]);
  const runs = new Map([
    ['popularity', [runOf(1, EASY_AND_HARD)]],
    ['own', [runOf(1, [0.5])]],
  ]);
  expect(() => summarizeModels(runs)).toThrow(RangeError);
});
