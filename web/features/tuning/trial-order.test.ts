import { expect, it } from 'vitest';
import { endedCount, leadingTrial } from './trial-order.ts';

const trial = (
  number: number,
  ndcgAt10: number | null,
  status: 'WAITING' | 'RUNNING' | 'STOPPED' | 'DONE' = 'DONE',
) => ({
  number,
  status,
  ndcgAt10,
});

it('leads with the best trial so far, and of equals with the earliest', () => {
  const trials = [trial(0, 0.2), trial(1, 0.3, 'RUNNING'), trial(2, 0.3), trial(3, null, 'WAITING')];
  expect(leadingTrial(trials)?.number).toBe(1);
});

it('has no leader before the first epoch', () => {
  expect(leadingTrial([trial(0, null, 'RUNNING')])).toBeNull();
  expect(leadingTrial([])).toBeNull();
});

it('counts as ended what was given up too', () => {
  expect(endedCount([trial(0, 0.1), trial(1, 0.1, 'STOPPED'), trial(2, 0.1, 'RUNNING')])).toBe(2);
});
