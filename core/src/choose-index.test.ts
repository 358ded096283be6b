import { expect, test } from 'vitest';
import { chooseFactory, chooseIndex } from './choose-index.ts';

test('a catalogue below the break-even is compared whole, with the limit as the reason', () => {
  const choice = chooseIndex({ size: 100_000, dimension: 64, memoryBytes: null });
  expect(choice).toMatchObject({ kind: 'exact', factories: [] });
  expect(choice.reason).toMatch(/^Exact: to compare all 100,000 vectors of 64 is fast enough up to 1,000,000, /);
});

test('a catalogue above it gets inverted lists of whole vectors', () => {
  const choice = chooseIndex({ size: 10_000_000, dimension: 64, memoryBytes: null });
  expect(choice).toMatchObject({ kind: 'faiss', factories: ['IVF12649,Flat'] });
  expect(choice.reason).toContain('10,000,000 vectors of 64');
});

test('the break-even follows the dimension', () => {
  const kindOf = (dimension: number) => chooseIndex({ size: 900_000, dimension, memoryBytes: null }).kind;
  expect([kindOf(64), kindOf(512)]).toEqual(['exact', 'faiss']);
});

test('the less memory there is, the stronger vectors are compressed', () => {
  const factoriesAt = (memoryBytes: number) => chooseIndex({ size: 1_000_000, dimension: 64, memoryBytes }).factories;
  expect(factoriesAt(400e6)).toEqual([]);
  expect(factoriesAt(300e6)).toEqual(['IVF4000,Flat']);
  expect(factoriesAt(100e6)[0]).toBe('IVF4000,SQ8');
  expect(factoriesAt(50e6)[0]).toBe('IVF4000,PQ32np');
  expect(factoriesAt(20e6)).toEqual(['IVF4000,PQ8np']);
});

test('a budget that no form keeps gets the smallest, and the reason says what it takes', () => {
  const choice = chooseIndex({ size: 1_000_000, dimension: 64, memoryBytes: 1e6 });
  expect(choice.factories).toEqual(['IVF4000,PQ8np']);
  expect(choice.reason).toContain('1 MB are allowed');
  expect(choice.reason).toContain('even compressed they take 18 MB');
});

test.each([
  [1, 'Flat'],
  [999, 'Flat'],
  [3000, 'IVF76,Flat'],
  [1_000_000, 'IVF4000,Flat'],
])('%d vectors get the factory %s', (size, factory) => {
  expect(chooseFactory(size)).toBe(factory);
});
