import { expect, test } from 'vitest';
import { nextBelow, nextNormal, nextUint32, seedRandom, shuffle } from './random.ts';

test('xoshiro128** gives the published sequence of state 1, 2, 3, 4', () => {
  const state = Uint32Array.of(1, 2, 3, 4);
  expect(Array.from({ length: 5 }, () => nextUint32(state))).toEqual([11520, 0, 5927040, 70819200, 2031721883]);
});

test('one seed gives one sequence and another seed another', () => {
  const draws = (seed: number) => {
    const state = seedRandom(seed);
    return Array.from({ length: 8 }, () => nextUint32(state));
  };
  expect(draws(1)).toEqual(draws(1));
  expect(draws(1)).not.toEqual(draws(2));
  expect(draws(1)).not.toEqual(draws(1 + 2 ** 32));
});

test('whole numbers below a bound are evenly spread', () => {
  const state = seedRandom(3);
  const counts = new Int32Array(10);
  for (let draw = 0; draw < 100_000; draw++) {
    const value = nextBelow(state, 10);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(450);
});

test('normal draws have mean 0 and deviation 1', () => {
  const state = seedRandom(4);
  const draws = Float64Array.from({ length: 100_000 }, () => nextNormal(state));
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  const variance = draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length;
  expect(Math.abs(mean)).toBeLessThan(0.02);
  expect(Math.abs(variance - 1)).toBeLessThan(0.03);
});

test('shuffling keeps every value once', () => {
  const values = Int32Array.from({ length: 100 }, (_, index) => index);
  shuffle(seedRandom(5), values);
  expect([...values]).not.toEqual([...values].toSorted((a, b) => a - b));
  expect(new Set(values).size).toBe(100);
});
