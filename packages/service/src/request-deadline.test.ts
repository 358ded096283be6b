import { expect, test } from 'vitest';
import { readDeadline } from './request-deadline.ts';

test.each([
  [undefined, null],
  ['', null],
  ['soon', null],
  ['-5', null],
  ['1.5', null],
  ['0', 1_000],
  ['250', 1_250],
  ['999999999', 601_000],
])('the header %j at 1,000 ms means %j', (header, deadline) => {
  expect(readDeadline(header, 1_000)).toBe(deadline);
});
