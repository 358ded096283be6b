import { expect, test } from 'vitest';
import { shareInTurns } from './share-in-turns.ts';

test('what was given holds while the next is written', () => {
  const memoryFor = shareInTurns();
  const given = [1, 2, 3, 4].map((value) => memoryFor(100).fill(value));
  expect(given.slice(2).map((bytes) => bytes.every((value) => value === bytes[0]) && bytes[0])).toEqual([3, 4]);
});

test('the same memory is given again and again, also for files that grow by some digits', () => {
  const memoryFor = shareInTurns();
  const buffers = [1_000, 1_001, 1_064, 1_128, 990].map((byteCount) => memoryFor(byteCount).buffer);
  expect(new Set(buffers).size).toBe(2);
});

test('a file that has outgrown its memory gets other, of exactly the bytes that it wants', () => {
  const memoryFor = shareInTurns();
  expect([10, 10, 1_000_000, 20, 2_000_000].map((byteCount) => memoryFor(byteCount).length)).toEqual([
    10, 10, 1_000_000, 20, 2_000_000,
  ]);
});
