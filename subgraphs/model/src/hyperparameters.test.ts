import { DEFAULT_HYPERPARAMETERS } from '@kindred/domain/training';
import { expect, test } from 'vitest';
import { mergeHyperparameters } from './hyperparameters.ts';

test('what is left out stays as it was', () => {
  const merged = mergeHyperparameters(DEFAULT_HYPERPARAMETERS, { epochs: 3, seed: null });
  expect(merged).toEqual({ hyperparameters: { ...DEFAULT_HYPERPARAMETERS, epochs: 3 }, userErrors: [] });
});

test('every value outside its range is named with what was wanted and what came', () => {
  const { userErrors } = mergeHyperparameters(DEFAULT_HYPERPARAMETERS, { dimension: 2, learningRate: 0, epochs: 1001 });
  expect(userErrors).toEqual([
    { code: 'INVALID', message: 'dimension must be 4 to 512, got 2.', path: ['hyperparameters', 'dimension'] },
    {
      code: 'INVALID',
      message: 'learningRate must be above 0 and at most 1, got 0.',
      path: ['hyperparameters', 'learningRate'],
    },
    { code: 'INVALID', message: 'epochs must be 1 to 1,000, got 1001.', path: ['hyperparameters', 'epochs'] },
  ]);
});
