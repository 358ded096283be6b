import { expect, test } from 'vitest';
import { readSeeds } from './seeds.ts';
import { formatSpread, meanByUser, medianOf, spreadOf } from './statistics.ts';
import { formatTable } from './table.ts';

test('the spread of values is their sample standard deviation, none for a single value', () => {
  expect(spreadOf([2, 4, 9])).toMatchObject({ mean: 5, deviation: Math.sqrt((9 + 1 + 16) / 2) });
  expect(spreadOf([3])).toMatchObject({ mean: 3, deviation: 0 });
  expect(formatSpread(spreadOf([0.1, 0.3]), 2)).toBe('0.20 ±0.14');
  expect(formatSpread(spreadOf([0.1]), 2)).toBe('0.10');
  expect(() => spreadOf([])).toThrow('got 0');
});

test('the median is the middle value, of two the mean', () => {
  expect(medianOf([9, 1, 2])).toBe(2);
  expect(medianOf([9, 1, 2, 4])).toBe(3);
  expect(() => medianOf([])).toThrow('got 0');
});

test('the mean of runs is taken user by user, and runs of other users are refused', () => {
  expect([...meanByUser([Float64Array.of(1, 0), Float64Array.of(0, 0)])]).toEqual([0.5, 0]);
  expect(() => meanByUser([new Float64Array(2), new Float64Array(3)])).toThrow('got 2 and 3');
});

test('seeds count up from the first', () => {
  expect(readSeeds({})).toEqual([1]);
  expect(readSeeds({ seeds: '3' })).toEqual([1, 2, 3]);
  expect(readSeeds({ seed: '7', seeds: '2' })).toEqual([7, 8]);
  expect(() => readSeeds({ seeds: '0' })).toThrow('got 1 and 0');
  expect(() => readSeeds({ seed: 'one' })).toThrow('got one and 1');
});

test('a table puts text to the left and figures to the right, and a dash where there is none', () => {
  const rows = [
    { name: 'native', value: 2 },
    { name: 'no', value: null },
  ];
  const columns = [
    { title: 'back-end', cell: ({ name }: (typeof rows)[number]) => name },
    { title: 'step ms', cell: ({ value }: (typeof rows)[number]) => value?.toFixed(1) ?? null },
  ];
  expect(formatTable(columns, rows)).toEqual(['back-end  step ms', 'native        2.0', 'no              -']);
});
