import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LookupCache } from './lookup-cache.ts';

function createLookup() {
  const asked: string[] = [];
  const cache = new LookupCache<string>({ ttlMs: 10_000, capacity: 2 });
  const get = (key: string) =>
    cache.get(key, async () => {
      asked.push(key);
      if (key === 'broken') throw new Error('no answer');
      return `${key}!`;
    });
  return { get, asked };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('an answer is kept for its time and then looked up again', async () => {
  const { get, asked } = createLookup();
  expect([await get('a'), await get('a')]).toEqual(['a!', 'a!']);
  vi.advanceTimersByTime(9_999);
  await get('a');
  expect(asked).toEqual(['a']);
  vi.advanceTimersByTime(1);
  await get('a');
  expect(asked).toEqual(['a', 'a']);
});

test('who asks while a look-up is under way shares it', async () => {
  const { get, asked } = createLookup();
  await Promise.all([get('a'), get('a'), get('a')]);
  expect(asked).toEqual(['a']);
});

test('a failure is not kept', async () => {
  const { get, asked } = createLookup();
  await expect(get('broken')).rejects.toThrow('no answer');
  await expect(get('broken')).rejects.toThrow('no answer');
  expect(asked).toEqual(['broken', 'broken']);
});

test('past the capacity the answer used longest ago makes room', async () => {
  const { get, asked } = createLookup();
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await get(key);
  expect(asked).toEqual(['a', 'b', 'c', 'b']);
});
