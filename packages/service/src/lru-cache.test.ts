import { expect, test } from 'vitest';
import { LruCache } from './lru-cache.ts';

test('the entries used longest ago make room, by number and by weight', () => {
  const cache = new LruCache<number>({ capacity: 3, maxWeight: 10 });
  cache.set('a', 1, 1);
  cache.set('b', 2, 1);
  cache.set('c', 3, 1);
  cache.get('a');
  cache.set('d', 4, 1);
  expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key))).toEqual([1, undefined, 3, 4]);
  cache.set('e', 5, 9);
  expect(['a', 'c', 'd', 'e'].map((key) => cache.get(key))).toEqual([undefined, undefined, 4, 5]);
  cache.set('f', 6, 11);
  expect([cache.size, cache.get('f')]).toEqual([2, undefined]);
});

test('what was used is spared once, and makes room where it is not used again', () => {
  const cache = new LruCache<number>({ capacity: 2, maxWeight: 10 });
  cache.set('a', 1, 1);
  cache.get('a');
  cache.set('b', 2, 1);
  cache.set('c', 3, 1);
  cache.set('d', 4, 1);
  expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key))).toEqual([undefined, undefined, 3, 4]);
});

test('where all were used, the one set first makes room, and not the newcomer', () => {
  const cache = new LruCache<number>({ capacity: 3, maxWeight: 10 });
  for (const key of 'abc') cache.set(key, 1, 1);
  for (const key of 'abc') cache.get(key);
  cache.set('d', 1, 1);
  expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key) !== undefined)).toEqual([false, true, true, true]);
});
