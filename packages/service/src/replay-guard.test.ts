import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createReplayGuard } from './replay-guard.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }));
afterEach(() => void vi.useRealTimers());

test('an id is admitted once in the window, whenever in it the second one comes', () => {
  for (const offsetMs of [0, 500, 999]) {
    const guard = createReplayGuard(1_000);
    vi.advanceTimersByTime(offsetMs);
    expect(guard.admit('a')).toBe(true);
    for (let waitedMs = 0; waitedMs < 1_000; waitedMs += 111) {
      expect(guard.admit('a')).toBe(false);
      guard.admit(`other ${waitedMs}`);
      vi.advanceTimersByTime(111);
    }
  }
});

test('ids are forgotten after twice the window, so that the memory stays bounded', () => {
  const guard = createReplayGuard(1_000);
  guard.admit('a');
  vi.advanceTimersByTime(2_000);
  expect(guard.admit('a')).toBe(true);
});
