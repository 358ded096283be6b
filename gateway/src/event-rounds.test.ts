import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EventRounds } from './event-rounds.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Events by name, as they pass. */
function createPasses() {
  const rounds = new EventRounds();
  const passed: string[] = [];
  return { passed, pass: (name: string) => void rounds.pass().then(() => passed.push(name)) };
}

test('an event that comes alone passes at once', async () => {
  const { passed, pass } = createPasses();
  pass('first');
  await vi.advanceTimersByTimeAsync(0);
  expect(passed).toEqual(['first']);
  await vi.advanceTimersByTimeAsync(5);
  pass('second');
  await vi.advanceTimersByTimeAsync(0);
  expect(passed).toEqual(['first', 'second']);
});

test('those that come soon after a round pass together, in the order in which they came, and the next ones after them', async () => {
  const { passed, pass } = createPasses();
  pass('first');
  await vi.advanceTimersByTimeAsync(1);
  pass('second');
  await vi.advanceTimersByTimeAsync(3);
  pass('third');
  expect(passed).toEqual(['first']);
  await vi.advanceTimersByTimeAsync(1);
  expect(passed).toEqual(['first', 'second', 'third']);
  pass('fourth');
  await vi.advanceTimersByTimeAsync(4);
  expect(passed).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(1);
  expect(passed).toEqual(['first', 'second', 'third', 'fourth']);
});
