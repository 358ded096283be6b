import { describe, expect, test } from 'vitest';
import { matrixOf } from '../../golden/checkerboard.ts';
import { evaluateInDetail } from '../evaluate-in-detail.ts';
import { listItemsByUser } from '../interaction-matrix.ts';
import { nextBelow, nextNormal, seedRandom } from '../random.ts';
import { measureByActivity } from './activity-buckets.ts';
import { bootstrapDifference, bootstrapMean } from './bootstrap.ts';
import { prepareEvaluation, sampleUsers } from './evaluation-case.ts';
import { giniIndex, measureExposure } from './exposure.ts';
import { measureLists } from './list-quality.ts';
import { rankUsers, type TopLists } from './rank-users.ts';

/** Two users; the first wants items 1, 3 and 5, the second item 0; items 0 and 1 are in training. */
const SMALL = prepareEvaluation(
  matrixOf(2, 6, [
    [0, 0],
    [1, 1],
    [0, 4],
    [1, 4],
  ]),
  matrixOf(2, 6, [
    [0, 1],
    [0, 3],
    [0, 5],
    [1, 0],
  ]),
);

const lists = (itemRows: number[], cutoff: number): TopLists => ({
  cutoff,
  userRows: Int32Array.of(0, 1),
  itemRows: Int32Array.from(itemRows),
  engine: 'by hand',
});

test('the quality of two lists agrees with the hand calculation', () => {
  const quality = measureLists(lists([2, 1, 4, 3, 2, 3, 5, 4], 4), SMALL);
  // Hits at ranks 2 and 4 of four places, with three wanted; none for the second user.
  const [second, fourth] = [1 / Math.log2(3), 1 / Math.log2(5)];
  expect([...quality.recall]).toEqual([2 / 3, 0]);
  expect(quality.ndcg[0]).toBeCloseTo((second + fourth) / (1 + second + 0.5), 12);
  expect([...quality.reciprocalRank]).toEqual([0.5, 0]);
  expect(quality.averagePrecision[0]).toBeCloseTo((1 / 2 + 2 / 4) / 3, 12);
  expect([...quality.hit]).toEqual([1, 0]);
});

test('the perfect list has every measure at 1 also when fewer places than held-out items are there', () => {
  const quality = measureLists(lists([1, 5, 0, -1], 2), SMALL);
  expect([...quality.ndcg]).toEqual([1, 1]);
  expect([...quality.averagePrecision]).toEqual([1, 1]);
  expect([...quality.recall]).toEqual([2 / 3, 1]);
});

test('the exposure of two lists agrees with the hand calculation', () => {
  const exposure = measureExposure(lists([4, 1, 4, 2], 2), SMALL);
  expect(exposure.coverage).toBe(3 / 6);
  // Places 0, 0, 0, 1, 1, 2 in rising order: (1 * 1 + 3 * 1 + 5 * 2) / (5 * 4).
  expect(exposure.gini).toBeCloseTo(14 / 20, 12);
  // Item 4 has both users (0 bits, twice), item 1 one (1 bit), item 2 none and counts as one (1 bit).
  expect(exposure.novelty).toBe(2 / 4);
  expect(exposure.averagePopularity).toBe(((2 + 1) / 2 + (2 + 0) / 2) / 2);
});

test('Gini is 0 for equal values, 1 for one value alone and 0 for nothing', () => {
  expect(giniIndex(new Float64Array(9).fill(3))).toBe(0);
  expect(giniIndex(Float64Array.of(0, 0, 5, 0))).toBe(1);
  expect(giniIndex(new Float64Array(4))).toBe(0);
  expect(giniIndex(Float64Array.of(7))).toBe(0);
});

test('users fall into buckets by their distinct training items', () => {
  const quality = measureLists(lists([1, 3, 5, 2], 2), SMALL);
  const activity = Int32Array.of(4, 5);
  expect(measureByActivity(quality, { userRows: SMALL.userRows, activity })).toEqual([
    { from: 1, below: 5, userCount: 1, recall: 2 / 3, ndcg: 1 },
    { from: 5, below: 10, userCount: 1, recall: 0, ndcg: 0 },
  ]);
  const [only, ...others] = measureByActivity(quality, { userRows: SMALL.userRows, activity }, [0]);
  expect(only).toMatchObject({ from: 0, below: null, userCount: 2, recall: 1 / 3 });
  expect(others).toEqual([]);
});

/** Every measure again from its definition, with sets and sorted arrays of objects, and float64 throughout. */
function slowly(scores: (user: number, item: number) => number, data: typeof SMALL, cutoff: number) {
  const users = [...data.userRows].map((user) => {
    const known = new Set(data.known.items.slice(data.known.offsets[user], data.known.offsets[user + 1]));
    const wanted = new Set(data.wanted.items.slice(data.wanted.offsets[user], data.wanted.offsets[user + 1]));
    const list = Array.from({ length: data.itemCount }, (_, item) => ({ item, score: scores(user, item) }))
      .filter(({ item }) => !known.has(item))
      .toSorted((a, b) => b.score - a.score || a.item - b.item)
      .slice(0, cutoff)
      .map(({ item }) => item);
    const isHit = list.map((item) => wanted.has(item));
    const hitsTo = (length: number) => isHit.slice(0, length).filter(Boolean).length;
    const gain = (hits: boolean[]) => hits.reduce((sum, hit, at) => sum + (hit ? Math.LN2 / Math.log(at + 2) : 0), 0);
    const ideal = Array.from({ length: Math.min(cutoff, wanted.size) }, () => true);
    const precisions = isHit.map((hit, at) => (hit ? hitsTo(at + 1) / (at + 1) : 0));
    return {
      list,
      activity: data.activity[user] ?? 0,
      recall: hitsTo(cutoff) / wanted.size,
      ndcg: gain(isHit) / gain(ideal),
      mrr: isHit.includes(true) ? 1 / (isHit.indexOf(true) + 1) : 0,
      map: precisions.reduce((a, b) => a + b, 0) / Math.min(cutoff, wanted.size),
      hitRate: isHit.includes(true) ? 1 : 0,
    };
  });
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const listed = users.flatMap(({ list }) => list);
  const counts = Array.from({ length: data.itemCount }, (_, item) => listed.filter((row) => row === item).length);
  const apart = counts.flatMap((a) => counts.map((b) => Math.abs(a - b))).reduce((a, b) => a + b, 0);
  const popularityOf = (item: number) => data.popularity[item] ?? 0;
  return {
    recall: mean(users.map(({ recall }) => recall)),
    ndcg: mean(users.map(({ ndcg }) => ndcg)),
    mrr: mean(users.map(({ mrr }) => mrr)),
    map: mean(users.map(({ map }) => map)),
    hitRate: mean(users.map(({ hitRate }) => hitRate)),
    coverage: new Set(listed).size / data.itemCount,
    // The mean difference over twice the mean, with the correction n / (n - 1) for finite n.
    gini: apart / (2 * data.itemCount * listed.length) / ((data.itemCount - 1) / data.itemCount),
    novelty: mean(listed.map((item) => Math.log2(data.userCount / Math.max(1, popularityOf(item))))),
    averagePopularity: mean(users.map(({ list }) => mean(list.map(popularityOf)))),
    bucket: (from: number, below: number | null) => {
      const own = users.filter(({ activity }) => activity >= from && activity < (below ?? Number.POSITIVE_INFINITY));
      return {
        userCount: own.length,
        recall: mean(own.map(({ recall }) => recall)),
        ndcg: mean(own.map(({ ndcg }) => ndcg)),
      };
    },
  };
}

describe.each([1, 2, 3, 4, 5, 6])('in random world %i', (seed) => {
  const random = seedRandom(seed);
  const [users, items, dimension] = [40 + seed, 60 - 5 * seed, 2 + seed];
  const pairs = (count: number) =>
    matrixOf(
      users,
      items,
      Array.from({ length: count }, () => [nextBelow(random, users), Math.floor(nextBelow(random, items ** 2) ** 0.5)]),
    );
  const [train, heldOut, masked] = [pairs(300), pairs(80), pairs(50)];
  const data = prepareEvaluation(train, heldOut, masked);
  const draw = (length: number) => Float32Array.from({ length }, () => Math.round(nextNormal(random) * 3));
  const ranker = { userVectors: draw(users * dimension), itemVectors: draw(items * dimension), dimension };

  test('every measure equals a slow calculation from the definitions', async () => {
    const cutoff = 3 + seed;
    const report = await evaluateInDetail(ranker, data, { cutoff, bootstrap: { seed: 1, resamples: 10 } });
    const scores = (user: number, item: number) => {
      let sum = 0;
      for (let k = 0; k < dimension; k++) {
        sum += (ranker.userVectors[user * dimension + k] ?? 0) * (ranker.itemVectors[item * dimension + k] ?? 0);
      }
      return sum;
    };
    const slow = slowly(scores, data, cutoff);
    for (const name of ['recall', 'ndcg', 'mrr', 'map', 'hitRate'] as const) {
      expect(report[name].mean, name).toBeCloseTo(slow[name], 12);
    }
    for (const name of ['coverage', 'gini', 'novelty', 'averagePopularity'] as const) {
      expect(report.exposure[name], name).toBeCloseTo(slow[name], 12);
    }
    expect(report.activityBuckets.length).toBeGreaterThan(1);
    for (const { from, below, ...bucket } of report.activityBuckets) {
      const wanted = slow.bucket(from, below);
      expect(bucket.userCount).toBe(wanted.userCount);
      expect(bucket.recall).toBeCloseTo(wanted.recall, 12);
      expect(bucket.ndcg).toBeCloseTo(wanted.ndcg, 12);
    }
    expect(report.activityBuckets.reduce((sum, { userCount }) => sum + userCount, 0)).toBe(data.userRows.length);
  });

  test('prepared lists equal those by sorting', () => {
    expect(data.known).toEqual(listItemsByUser(train, masked));
    expect(data.wanted).toEqual(listItemsByUser(heldOut));
  });

  test('measures are in [0, 1] and recall and hit rate never fall with the cut-off', () => {
    const sums = [1, 2, 5, 10, 20].map((cutoff) => {
      const quality = measureLists(rankUsers(ranker, data, { cutoff }), data);
      for (const values of Object.values(quality) as Float64Array[]) {
        expect(values.every((value) => value >= 0 && value <= 1 + 1e-12)).toBe(true);
      }
      return [quality.recall, quality.hit].map((values) => values.reduce((a, b) => a + b, 0));
    });
    for (const column of [0, 1]) {
      const values = sums.map((row) => row[column] ?? 0);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
    }
  });
});

test('a sample of users is a part of them by seed, with the lists that the users have among all', () => {
  const users = Array.from({ length: 100 }, (_, user) => [user, user % 7] as const);
  const data = prepareEvaluation(matrixOf(100, 9, []), matrixOf(100, 9, users));
  const sample = sampleUsers(data, 20, 1);
  expect(new Set(sample.userRows).size).toBe(20);
  expect([...sample.userRows]).toEqual([...sample.userRows].toSorted((a, b) => a - b));
  expect(sampleUsers(data, 20, 1).userRows).toEqual(sample.userRows);
  expect(sampleUsers(data, 20, 2).userRows).not.toEqual(sample.userRows);
  expect(sampleUsers(data, 100, 1)).toBe(data);
  const ranker = {
    userVectors: Float32Array.from({ length: 100 }, (_, user) => user - 50),
    itemVectors: Float32Array.from({ length: 9 }, (_, item) => item),
    dimension: 1,
  };
  const [all, some] = [data, sample].map((own) => rankUsers(ranker, own, { cutoff: 3 }).itemRows);
  const wanted = [...sample.userRows].flatMap((user) => [...(all?.subarray(3 * user, 3 * user + 3) ?? [])]);
  expect([...(some ?? [])]).toEqual(wanted);
});

test('matrices of another shape are refused', () => {
  expect(() => prepareEvaluation(matrixOf(2, 3, []), matrixOf(2, 4, []))).toThrow('heldOut has 2 x 4');
  expect(() => prepareEvaluation(matrixOf(2, 3, []), matrixOf(2, 3, []), matrixOf(1, 3, []))).toThrow('masked');
});

describe('the bootstrap', () => {
  const normal = (seed: number, length: number, mean: number) => {
    const random = seedRandom(seed);
    return Float64Array.from({ length }, () => mean + nextNormal(random));
  };

  test('has about the width that theory gives for a mean', () => {
    const { low, high, mean } = bootstrapMean(normal(1, 2000, 5), { seed: 2 });
    expect(low).toBeLessThan(mean);
    expect(high - low).toBeGreaterThan((0.8 * 2 * 1.96) / Math.sqrt(2000));
    expect(high - low).toBeLessThan((1.2 * 2 * 1.96) / Math.sqrt(2000));
  });

  test('covers the true mean about as often as it says', () => {
    const covered = Array.from({ length: 200 }, (_, seed) => {
      const { low, high } = bootstrapMean(normal(seed + 10, 100, 0), { seed, resamples: 300, confidence: 0.9 });
      return low <= 0 && high >= 0;
    }).filter(Boolean).length;
    expect(covered).toBeGreaterThan(165);
    expect(covered).toBeLessThan(195);
  });

  test('sees a small difference of hard and easy users only in pairs', () => {
    const random = seedRandom(4);
    const first = Float64Array.from({ length: 500 }, () => nextNormal(random));
    const second = first.map((value) => value - 0.05 + 0.1 * nextNormal(random));
    const paired = bootstrapDifference(first, second, { seed: 1 });
    expect(paired.low).toBeGreaterThan(0);
    expect(paired.pValue).toBeLessThan(0.01);
    const [a, b] = [bootstrapMean(first, { seed: 1 }), bootstrapMean(second, { seed: 1 })];
    expect(a.low).toBeLessThan(b.high);
  });

  test('finds no difference between equals', () => {
    const values = normal(1, 50, 0);
    expect(bootstrapDifference(values, values, { seed: 1 })).toEqual({ mean: 0, low: 0, high: 0, pValue: 1 });
  });

  test('depends on the seed alone and gives no width to nothing', () => {
    const values = normal(1, 50, 0);
    expect(bootstrapMean(values, { seed: 7 })).toEqual(bootstrapMean(values, { seed: 7 }));
    expect(bootstrapMean(values, { seed: 7 })).not.toEqual(bootstrapMean(values, { seed: 8 }));
    expect(bootstrapMean(new Float64Array(0), { seed: 7 })).toEqual({ mean: 0, low: 0, high: 0 });
  });

  test('refuses options outside their range', () => {
    const values = Float64Array.of(1);
    expect(() => bootstrapMean(values, { seed: 1, resamples: 0 })).toThrow('resamples');
    expect(() => bootstrapMean(values, { seed: 1, confidence: 1 })).toThrow('confidence');
    expect(() => bootstrapDifference(values, new Float64Array(2), { seed: 1 })).toThrow(RangeError);
  });
});
