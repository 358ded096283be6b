import { expect, test } from 'vitest';
import { type CallOutcome, CircuitBreaker } from './circuit-breaker.ts';

function createBreaker() {
  let now = 0;
  const breaker = new CircuitBreaker(() => now);
  const call = (outcome: CallOutcome) => {
    breaker.admit();
    breaker.settle(outcome);
  };
  const repeat = (count: number, outcome: CallOutcome) => {
    for (let index = 0; index < count; index++) call(outcome);
  };
  return { breaker, call, repeat, pass: (ms: number) => (now += ms) };
}

const REFUSAL = expect.objectContaining({ code: 'UNAVAILABLE' });

test('half of at least 20 calls failing opens it', () => {
  const { breaker, repeat } = createBreaker();
  repeat(10, 'ANSWERED');
  repeat(9, 'FAILED');
  expect(breaker.isOpen).toBe(false);
  repeat(1, 'FAILED');
  expect(breaker.isOpen).toBe(true);
  expect(() => breaker.admit()).toThrow(REFUSAL);
});

test('fewer failures, and calls that nobody waited for, leave it closed', () => {
  const { breaker, repeat } = createBreaker();
  repeat(200, 'ABANDONED');
  repeat(12, 'ANSWERED');
  repeat(11, 'FAILED');
  expect(breaker.isOpen).toBe(false);
});

test('failures of more than 10 seconds ago are forgotten', () => {
  const { breaker, repeat, pass } = createBreaker();
  repeat(19, 'FAILED');
  pass(10_001);
  repeat(19, 'FAILED');
  expect(breaker.isOpen).toBe(false);
});

test('after a pause one call tries, and closes it by its answer', () => {
  const { breaker, repeat, pass } = createBreaker();
  repeat(20, 'FAILED');
  pass(501);
  breaker.admit();
  expect(() => breaker.admit()).toThrow(REFUSAL);
  breaker.settle('ANSWERED');
  expect(breaker.isOpen).toBe(false);
  expect(() => breaker.admit()).not.toThrow();
});

test('a trial that fails doubles the pause, up to 15 seconds', () => {
  const { breaker, call, repeat, pass } = createBreaker();
  repeat(20, 'FAILED');
  pass(501);
  call('FAILED');
  pass(999);
  expect(() => breaker.admit()).toThrow(REFUSAL);
  for (let trial = 0; trial < 10; trial++) {
    pass(15_001);
    call('FAILED');
  }
  pass(14_999);
  expect(() => breaker.admit()).toThrow(REFUSAL);
});

test('a trial that nobody waited for says nothing: the next call tries', () => {
  const { breaker, call, repeat, pass } = createBreaker();
  repeat(20, 'FAILED');
  pass(501);
  call('ABANDONED');
  call('ANSWERED');
  expect(breaker.isOpen).toBe(false);
});

test('20 retries are saved up, and each ten calls earn one', () => {
  const { breaker, repeat } = createBreaker();
  const taken = Array.from({ length: 30 }, () => breaker.takeRetry()).filter(Boolean);
  expect(taken).toHaveLength(20);
  repeat(9, 'ANSWERED');
  expect(breaker.takeRetry()).toBe(false);
  repeat(2, 'ANSWERED');
  expect(breaker.takeRetry()).toBe(true);
});
