import { expect, it } from 'vitest';
import { epochTicks, valueAxis } from './axis-ticks.ts';

it('covers the values with a few round ticks', () => {
  expect(valueAxis(0, 0.2213)).toEqual({ ticks: [0, 0.05, 0.1, 0.15, 0.2, 0.25], decimals: 2 });
  expect(valueAxis(1.9, 7.95).ticks).toEqual([0, 2, 4, 6, 8]);
  for (const [low, high] of [
    [0, 0.0031],
    [0.61, 0.74],
    [2, 2],
    [0, 0],
    [120, 4800],
  ] as const) {
    const { ticks, decimals } = valueAxis(low, high);
    expect(ticks[0]).toBeLessThanOrEqual(low);
    expect(ticks.at(-1)).toBeGreaterThanOrEqual(high);
    expect(ticks.length).toBeGreaterThanOrEqual(2);
    expect(ticks.length).toBeLessThanOrEqual(8);
    expect(new Set(ticks.map((tick) => tick.toFixed(decimals))).size).toBe(ticks.length);
  }
});

it('names the first epoch and round ones after it', () => {
  expect(epochTicks(4)).toEqual([1, 2, 3, 4]);
  expect(epochTicks(20)).toEqual([1, 5, 10, 15, 20]);
  expect(epochTicks(60)).toEqual([1, 20, 40, 60]);
});
