import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

/** A hundred operations that begin together, and how many did. */
function takeHundred(isBusy: () => boolean) {
  const turns = new Turns(isBusy);
  const begun: number[] = [];
  const ends = Array.from({ length: 100 }, (_, index) => turns.take(() => void begun.push(index)));
  return { turns, begun, ends };
}

test('lets sixty-four run while the loop is busy, and the others in their order', () => {
  const { turns, begun, ends } = takeHundred(() => true);
  expect(begun).toHaveLength(64);
  ends[10]?.();
  ends[11]?.();
  expect(begun.slice(64)).toEqual([64, 65]);
  turns.check();
  expect(begun).toHaveLength(66);
});

test('lets all run while the loop idles, and all that wait as soon as it does', () => {
  expect(takeHundred(() => false).begun).toHaveLength(100);
  let isBusy = true;
  const { turns, begun } = takeHundred(() => isBusy);
  isBusy = false;
  turns.check();
  expect(begun).toHaveLength(100);
});

test('never begins what is given up before its turn, and counts it as nothing', () => {
  const { begun, ends } = takeHundred(() => true);
  ends[64]?.();
  expect(begun).toHaveLength(64);
  ends[0]?.();
  expect(begun.at(-1)).toBe(65);
});
