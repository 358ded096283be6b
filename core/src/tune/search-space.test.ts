import { describe, expect, test } from 'vitest';
import { seedRandom } from '../random.ts';
import { checkSpace, createPlaces, MOST_SOBOL_DIMENSIONS, pointAt } from './search-space.ts';

const places = (kind: 'sobol' | 'random', count: number, dimensions: number, seed = 1) => {
  const next = createPlaces(kind, dimensions, seedRandom(seed));
  return Array.from({ length: count }, () => next());
};

describe('Sobol places', () => {
  test('stand one in each of n equal intervals of every dimension, for n a power of 2', () => {
    for (const count of [1, 2, 16, 256]) {
      const all = places('sobol', count, MOST_SOBOL_DIMENSIONS);
      for (let dimension = 0; dimension < MOST_SOBOL_DIMENSIONS; dimension++) {
        expect(new Set(all.map((place) => Math.floor((place[dimension] ?? 0) * count))).size).toBe(count);
      }
    }
  });

  test('fill every elementary rectangle of the first two dimensions once', () => {
    const all = places('sobol', 64, 2);
    for (const [wide, high] of [
      [1, 64],
      [2, 32],
      [4, 16],
      [8, 8],
      [16, 4],
      [32, 2],
      [64, 1],
    ] as const) {
      const cells = all.map(([x = 0, y = 0]) => `${Math.floor(x * wide)},${Math.floor(y * high)}`);
      expect(new Set(cells).size).toBe(64);
    }
  });

  test('integrate a product far better than independent draws', () => {
    const error = (kind: 'sobol' | 'random') => {
      const errors = Array.from({ length: 20 }, (_, seed) => {
        const values = places(kind, 256, 5, seed).map((place) => place.reduce((product, x) => product * 2 * x, 1));
        return (values.reduce((a, b) => a + b, 0) / 256 - 1) ** 2;
      });
      return Math.sqrt(errors.reduce((a, b) => a + b, 0) / errors.length);
    };
    expect(error('sobol')).toBeLessThan(error('random') / 3);
  });

  test('depend on the seed, and give way to independent draws in many dimensions', () => {
    expect(places('sobol', 5, 3, 1)).toEqual(places('sobol', 5, 3, 1));
    expect(places('sobol', 5, 3, 1)).not.toEqual(places('sobol', 5, 3, 2));
    expect(places('sobol', 5, 17)).toEqual(places('random', 5, 17));
  });
});

test('a place becomes a value of each parameter, in its range and on its scale', () => {
  const space = {
    rate: { kind: 'real', low: 1e-4, high: 1, scale: 'log' },
    layers: { kind: 'whole', low: 1, high: 4 },
    loss: { kind: 'choice', values: ['bpr', 'softmax'] },
  } as const;
  expect(pointAt(space, Float64Array.of(0.5, 0, 0.49))).toEqual({ rate: expect.closeTo(1e-2), layers: 1, loss: 'bpr' });
  expect(pointAt(space, Float64Array.of(0, 0.999999, 0.5))).toEqual({ rate: 1e-4, layers: 4, loss: 'softmax' });
  const counts = [0, 0, 0, 0, 0];
  for (let step = 0; step < 400; step++) {
    const { layers } = pointAt(space, Float64Array.of(0, step / 400, 0));
    counts[layers] = (counts[layers] ?? 0) + 1;
  }
  expect(counts).toEqual([0, 100, 100, 100, 100]);
});

test.each([
  ['at least one parameter', {}],
  ['none has no values', { none: { kind: 'choice', values: [] } }],
  ['rate is no log range', { rate: { kind: 'real', low: 0, high: 1, scale: 'log' } }],
  ['layers is no linear range', { layers: { kind: 'whole', low: 0.5, high: 1 } }],
  ['x is no linear range', { x: { kind: 'real', low: 2, high: 1 } }],
  ['x is no linear range', { x: { kind: 'real', low: Number.NaN, high: 1 } }],
] as const)('a space is refused: %s', (message, space) => {
  expect(() => checkSpace(space)).toThrow(message);
});
