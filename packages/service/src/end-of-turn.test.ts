import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { atEndOfTurn } from './end-of-turn.ts';

test('work waits for the end of the turn, and what it asks for is done in the same', async () => {
  const done: string[] = [];
  atEndOfTurn(() => {
    done.push('first');
    atEndOfTurn(() => void done.push('third'));
  });
  atEndOfTurn(() => void done.push('second'));
  await Promise.resolve();
  expect(done).toEqual([]);
  await nextTurn();
  expect(done).toEqual(['first', 'second', 'third']);
  atEndOfTurn(() => void done.push('fourth'));
  await nextTurn();
  expect(done).toHaveLength(4);
});
