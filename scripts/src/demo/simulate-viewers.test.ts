import { expect, test } from 'vitest';
import { simulateViewers } from './simulate-viewers.ts';

const dataset = await simulateViewers();

test('simulated viewers are called simulated wherever their source is named', () => {
  const { source, simulated, licence } = dataset;
  expect([simulated, source, licence]).toEqual([
    true,
    expect.stringContaining('simulated'),
    expect.stringContaining('simulated, not people'),
  ]);
});

test('the simulation is the same every time', async () => {
  expect(await simulateViewers()).toEqual(dataset);
});

test('every viewer rates known films once each, and enough of them to learn from', () => {
  const { items, ratings } = dataset;
  const known = new Set(items.map(({ externalId }) => externalId));
  const pairs = new Set(ratings.map(({ userExternalId, itemExternalId }) => `${userExternalId} ${itemExternalId}`));
  const viewers = new Set(ratings.map(({ userExternalId }) => userExternalId));
  expect([pairs.size, viewers.size, known.size]).toEqual([ratings.length, 600, items.length]);
  expect(ratings.every(({ itemExternalId }) => known.has(itemExternalId))).toBe(true);
  expect(ratings.every(({ value }) => value >= 0.5 && value <= 5 && Number.isInteger(value * 2))).toBe(true);
  expect(ratings.length / viewers.size).toBeGreaterThan(40);
});

test('viewers keep to their genres far more than chance would', () => {
  const { items, ratings } = dataset;
  const genreOf = new Map(items.map(({ externalId, categories }) => [externalId, categories[0]]));
  const sameGenre = (a: string, b: string): boolean => genreOf.get(a) === genreOf.get(b);
  const pairs = ratings.slice(1).map((rating, row) => [rating, ratings[row]] as const);
  const share = (within: boolean): number => {
    const chosen = pairs.filter(([a, b]) => (a.userExternalId === b?.userExternalId) === within);
    return chosen.filter(([a, b]) => sameGenre(a.itemExternalId, b?.itemExternalId ?? '')).length / chosen.length;
  };
  expect(share(true)).toBeGreaterThan(0.25);
});
