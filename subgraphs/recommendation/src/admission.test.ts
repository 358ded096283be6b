import { newId } from '@kindred/domain/ids';
import { AppError } from '@kindred/domain/app-error';
import { expect, test } from 'vitest';
import { createAdmission } from './admission.ts';

const [ours, theirs, others] = [newId('Tenant'), newId('Tenant'), newId('Tenant')];

function open(mostQuestions: number) {
  const clock = { now: 0 };
  const refusals: string[] = [];
  const onRefusal = (reason: string) => void refusals.push(reason);
  return { clock, refusals, admission: createAdmission({ mostQuestions, now: () => clock.now, onRefusal }) };
}

test('a question beyond the bound is refused as one to ask again, and taken on when one has ended', () => {
  const { admission, refusals } = open(2);
  const first = admission.enter(ours, null);
  admission.enter(theirs, null);
  const message = '2 questions are under way, the most is 2: try again in a moment.';
  expect(() => admission.enter(others, null)).toThrow(new AppError('RATE_LIMITED', message));
  expect([refusals, admission.count]).toEqual([['queue'], 2]);
  first[Symbol.dispose]();
  admission.enter(others, null);
  expect(admission.count).toBe(2);
});

test("one tenant's crowd leaves half of the places to others", () => {
  const { admission } = open(4);
  admission.enter(ours, null);
  admission.enter(ours, null);
  expect(() => admission.enter(ours, null)).toThrow('2 questions are under way, the most is 2');
  admission.enter(theirs, null);
  expect(admission.count).toBe(3);
});

test('a question whose time is over is not taken on, and one whose time ends is given up', () => {
  const { admission, clock, refusals } = open(4);
  clock.now = 100;
  expect(() => admission.enter(ours, 100)).toThrow(
    new AppError('TIMEOUT', 'The time for this answer is over; ask again.'),
  );
  const place = admission.enter(ours, 101);
  place.checkDeadline();
  clock.now = 101;
  expect(() => place.checkDeadline()).toThrow('The time for this answer is over');
  expect(refusals).toEqual(['deadline', 'deadline']);
  expect(admission.count).toBe(1);
});
