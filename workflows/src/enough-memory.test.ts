import { resolveHyperparameters } from '@kindred/core/lightgcn/hyperparameters';
import { expect, test } from 'vitest';
import { requireMemory } from './enough-memory.ts';

const COUNTS = { userCount: 20_000, itemCount: 10_000, interactionCount: 500_000 };
const SIZE = { ...COUNTS, ...resolveHyperparameters(COUNTS, { loss: 'bpr' }) };

test('a training that fits passes', () => {
  expect(() => requireMemory(SIZE, 1e9)).not.toThrow();
});

test('a training that would not fit is refused for good, with what it needs and what there is', () => {
  expect(() => requireMemory(SIZE, 1e8)).toThrow(
    expect.objectContaining({ type: 'NotEnoughMemory', nonRetryable: true }),
  );
  expect(() => requireMemory(SIZE, 1e8)).toThrow(
    /20,000 users and 10,000 items .* needs about 0\.\d GB .* has 0\.1 GB/,
  );
});

test('more layers need more, so that what just fits one does not fit three', () => {
  const passes = (layers: number, availableBytes: number) => {
    try {
      requireMemory({ ...SIZE, layers }, availableBytes);
      return true;
    } catch {
      return false;
    }
  };
  const limits = Array.from({ length: 400 }, (_, step) => (step + 1) * 1e6);
  const least = (layers: number) => limits.find((limit) => passes(layers, limit)) ?? Number.POSITIVE_INFINITY;
  expect(least(3)).toBeGreaterThan(least(1));
  expect(least(3)).toBeLessThan(Number.POSITIVE_INFINITY);
});
