import type { ArmCounts } from '@kindred/domain/canary';
import { expect, test } from 'vitest';
import { judgeCanary } from './judge-canary.ts';

const side = (answerCount: number, clickCount: number, errorCount = 0): ArmCounts => ({
  answerCount,
  clickCount,
  errorCount,
});
const CASE = { minimumAnswers: 200, isOver: false };

test('a canary that is clicked less is rolled back before its time is over, with the figures', () => {
  const ending = judgeCanary({ ...CASE, counts: { CONTROL: side(2_000, 400), CANARY: side(300, 15) } });
  expect(ending).toEqual({
    status: 'ROLLED_BACK',
    reason:
      'It is clicked less: 15 of 300 answers (5 %) led to a click, of the version before 400 of 2,000 answers (20 %); error probability at most 5 %.',
  });
});

test('a canary that is clicked more is promoted before its time is over', () => {
  expect(judgeCanary({ ...CASE, counts: { CONTROL: side(2_000, 200), CANARY: side(300, 90) } })).toMatchObject({
    status: 'PROMOTED',
    reason: expect.stringMatching(/^It is clicked more: 90 of 300 answers \(30 %\)/) as string,
  });
});

test('nothing is decided by clicks below the minimum, however clear they are', () => {
  expect(judgeCanary({ ...CASE, counts: { CONTROL: side(2_000, 400), CANARY: side(199, 0) } })).toBeNull();
});

test('a difference that chance explains decides nothing until the time is over, and then lets the canary answer', () => {
  const counts = { CONTROL: side(2_000, 400), CANARY: side(300, 57) };
  expect(judgeCanary({ ...CASE, counts })).toBeNull();
  expect(judgeCanary({ ...CASE, counts, isOver: true })).toMatchObject({
    status: 'PROMOTED',
    reason: expect.stringMatching(/^It is clicked no less/) as string,
  });
});

test('a canary that too few met is rolled back when its time is over', () => {
  expect(judgeCanary({ ...CASE, isOver: true, counts: { CONTROL: side(90, 9), CANARY: side(10, 1) } })).toEqual({
    status: 'ROLLED_BACK',
    reason:
      'Too few answers to tell in the time there was: 1 of 10 answers (10 %) led to a click, of the version before 9 of 90 answers (10 %); at least 200 of each were wanted.',
  });
});

test('a canary that fails is rolled back long before the minimum of answers', () => {
  expect(judgeCanary({ ...CASE, counts: { CONTROL: side(400, 40), CANARY: side(0, 0, 40) } })).toEqual({
    status: 'ROLLED_BACK',
    reason: 'It failed in 40 of 40 answers (100 %), the version before in 0 of 400 answers (0 %).',
  });
});
