import { expect, test } from 'vitest';
import { readRetryAfter } from './send-webhook.ts';

const NOW = new Date('2026-11-26T12:00:00Z');

test.each([
  ['120', 120_000],
  ['0', 0],
  ['Thu, 26 Nov 2026 12:00:30 GMT', 30_000],
  ['Thu, 26 Nov 2026 11:00:00 GMT', 0],
  ['soon', null],
  ['-5', null],
  ['9'.repeat(30), null],
  [undefined, null],
])('a Retry-After of %j asks to wait %j ms', (value, wanted) => {
  expect(readRetryAfter(value, NOW)).toBe(wanted);
});
