import { expect, test } from 'vitest';
import { nextUint32, seedRandom } from './random.ts';
import { compareShares } from './sequential-test.ts';

const LEVEL = 0.05;
const FIRST_LOOK = 100;

/** Looks after every trial of both sides, as nobody may with a test for one look; where it stopped, null for nowhere. */
function peek(seed: number, shares: { first: number; second: number; trials: number }) {
  const random = seedRandom(seed);
  const draw = (share: number) => (nextUint32(random) / 2 ** 32 < share ? 1 : 0);
  const first = { hits: 0, total: 0 };
  const second = { hits: 0, total: 0 };
  for (let trial = 1; trial <= shares.trials; trial++) {
    first.hits += draw(shares.first);
    second.hits += draw(shares.second);
    first.total = second.total = trial;
    const { pValue, difference } = compareShares(first, second);
    if (trial >= FIRST_LOOK && pValue <= LEVEL) return { trial, difference };
  }
  return null;
}

const SEEDS = Array.from({ length: 400 }, (_, index) => index + 1);

test.each([0.03, 0.1, 0.4])(
  'equal shares of %d are told apart in at most one of twenty trials that are watched all along',
  (share) => {
    const wrong = SEEDS.filter((seed) => peek(seed, { first: share, second: share, trials: 3_000 }) !== null);
    expect(wrong.length / SEEDS.length).toBeLessThanOrEqual(LEVEL);
  },
);

test('a share that fell from 10 to 5 % is found in nearly every trial of 3,000 answers a side, and never taken for better', () => {
  const stops = SEEDS.map((seed) => peek(seed, { first: 0.1, second: 0.05, trials: 3_000 }));
  const found = stops.filter((stop) => stop !== null && stop.difference < 0);
  expect(found.length / SEEDS.length).toBeGreaterThan(0.98);
  expect(stops.filter((stop) => stop !== null && stop.difference > 0).length / SEEDS.length).toBeLessThanOrEqual(0.01);
});

test('nothing is known of a side without trials, nor where every trial ended the same', () => {
  expect(compareShares({ hits: 0, total: 0 }, { hits: 5, total: 10 })).toEqual({ difference: 0, pValue: 1 });
  expect(compareShares({ hits: 0, total: 50 }, { hits: 0, total: 70 })).toEqual({ difference: 0, pValue: 1 });
});

test('more hits than trials are refused', () => {
  expect(() => compareShares({ hits: 3, total: 2 }, { hits: 0, total: 1 })).toThrow(
    'Wanted 0 to 2 hits of 2 trials, got 3',
  );
});
