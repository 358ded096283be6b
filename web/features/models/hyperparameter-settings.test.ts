import { expect, it } from 'vitest';
import { hyperparametersOf, settingsFor } from './hyperparameter-settings.ts';

it('sends what was filled in and nothing else', () => {
  expect(hyperparametersOf({ loss: '', numbers: { epochs: '', dimension: 32, temperature: '0.2' } })).toEqual({
    dimension: 32,
    temperature: 0.2,
  });
  expect(hyperparametersOf({ loss: 'SOFTMAX', numbers: {} })).toEqual({ loss: 'SOFTMAX' });
});

it('neither offers nor sends with BPR what only the softmax reads', () => {
  expect(settingsFor('BPR').map(({ key }) => key)).not.toContain('temperature');
  expect(settingsFor('').map(({ key }) => key)).toContain('temperature');
  expect(hyperparametersOf({ loss: 'BPR', numbers: { temperature: 0.2, epochs: 5 } })).toEqual({
    loss: 'BPR',
    epochs: 5,
  });
});
