import { expect, test } from 'vitest';
import { mergeSettings, resolveByCatalog, showHyperparameters } from './hyperparameters.ts';

test('what is left out stays as it was', () => {
  const base = { dimension: 32, epochs: 9 };
  expect(mergeSettings(base, { epochs: 3, seed: null })).toEqual({
    settings: { dimension: 32, epochs: 3 },
    userErrors: [],
  });
  expect(mergeSettings(base, null)).toEqual({ settings: base, userErrors: [] });
});

test('every value outside its range is named with what was wanted and what came', () => {
  const { userErrors } = mergeSettings(
    {},
    { dimension: 2, learningRate: 0, epochs: 1001, temperature: 0.01, initialDeviation: 0 },
  );
  const told = (name: string, message: string) => ({ code: 'INVALID', message, path: ['hyperparameters', name] });
  expect(userErrors).toEqual([
    told('dimension', 'dimension must be 4 to 512, got 2.'),
    told('learningRate', 'learningRate must be above 0 and at most 1, got 0.'),
    told('epochs', 'epochs must be 1 to 1,000, got 1001.'),
    told('initialDeviation', 'initialDeviation must be 0.0001 to 1, got 0.'),
    told('temperature', 'temperature must be 0.05 to 10, got 0.01.'),
  ]);
});

test('what only the softmax reads is refused with the other loss, wherever that was set', () => {
  const message = 'temperature belongs to the loss SOFTMAX, got it with the loss BPR.';
  const refused = [{ code: 'INVALID', message, path: ['hyperparameters', 'temperature'] }];
  expect(mergeSettings({}, { loss: 'bpr', temperature: 0.2 }).userErrors).toEqual(refused);
  expect(mergeSettings({ loss: 'bpr' }, { temperature: 0.2 }).userErrors).toEqual(refused);
  expect(mergeSettings({ loss: 'bpr' }, { loss: 'softmax', temperature: 0.2 }).userErrors).toEqual([]);
  expect(mergeSettings({ temperature: 0.2 }, { loss: 'bpr' }).userErrors).toEqual([]);
});

test('what nobody set follows the size of the catalogue, and is not called set', () => {
  const catalog = { userCount: 600, itemCount: 9000, interactionCount: 100_000 };
  const large = resolveByCatalog({ epochs: 7 }, catalog);
  expect(large).toMatchObject({ loss: 'softmax', epochs: 7, dimension: 64 });
  expect(resolveByCatalog({}, { ...catalog, interactionCount: 1000 }).batchSize).toBeLessThan(large.batchSize);
  expect(showHyperparameters(large, { epochs: 7 }).overridden).toEqual(['epochs']);
});

test('a setting that the loss does not read is not shown as set', () => {
  const settings = { loss: 'bpr', temperature: 0.2 } as const;
  const catalog = { userCount: 600, itemCount: 9000, interactionCount: 100_000 };
  expect(showHyperparameters(resolveByCatalog(settings, catalog), settings)).toMatchObject({ overridden: ['loss'] });
});
