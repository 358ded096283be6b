import { expect, test } from 'vitest';
import { WEBHOOK_WAITS_MS } from '../contract.ts';
import { nextWaitMs } from './retry-wait.ts';

const HOUR = 3_600_000;

test('a wait is its step of the schedule and up to a fifth longer', () => {
  expect(nextWaitMs(1_000, { retryAfterMs: null, random: 0 })).toBe(1_000);
  expect(nextWaitMs(1_000, { retryAfterMs: null, random: 0.5 })).toBe(1_100);
  expect(nextWaitMs(1_000, { retryAfterMs: null, random: 0.999_999 })).toBe(1_200);
});

test('a target that asks for a longer wait is given it, up to a day; one that asks for a shorter one is not', () => {
  expect(nextWaitMs(1_000, { retryAfterMs: 7_000, random: 0.5 })).toBe(7_000);
  expect(nextWaitMs(1_000, { retryAfterMs: 10, random: 0.5 })).toBe(1_100);
  expect(nextWaitMs(1_000, { retryAfterMs: 1_000 * HOUR, random: 0.5 })).toBe(24 * HOUR);
});

test('the schedule doubles at least until it is long, and goes on for more than a day', () => {
  const total = WEBHOOK_WAITS_MS.reduce((sum, wait) => sum + wait, 0);
  expect(total).toBeGreaterThan(24 * HOUR);
  expect(total * 1.2).toBeLessThan(36 * HOUR);
  for (const [index, wait] of WEBHOOK_WAITS_MS.slice(1, -1).entries()) {
    expect(wait).toBeGreaterThanOrEqual(2 * (WEBHOOK_WAITS_MS[index] ?? Infinity));
  }
});
