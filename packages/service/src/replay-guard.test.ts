import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createReplayGuard } from './replay-guard.ts';

const A = { signer: 'a', number: 1 };

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }));
afterEach(() => void vi.useRealTimers());

test('a token is admitted once in the window, whenever in it the second one comes', () => {
  for (const offsetMs of [0, 500, 999]) {
    const guard = createReplayGuard(1_000);
    vi.advanceTimersByTime(offsetMs);
    expect(guard.admit(A)).toBe(true);
    for (let waitedMs = 0; waitedMs < 1_000; waitedMs += 111) {
      expect(guard.admit(A)).toBe(false);
      expect(guard.admit({ ...A, number: 2 + waitedMs })).toBe(true);
      vi.advanceTimersByTime(111);
    }
  }
});

test('tokens of one number by two signers are two tokens', () => {
  const guard = createReplayGuard(1_000);
  expect(guard.admit(A)).toBe(true);
  expect(guard.admit({ ...A, signer: 'b' })).toBe(true);
});

test('tokens are forgotten after twice the window, so that the memory stays bounded', () => {
  const guard = createReplayGuard(1_000);
  guard.admit(A);
  vi.advanceTimersByTime(2_000);
  expect(guard.admit(A)).toBe(true);
});
