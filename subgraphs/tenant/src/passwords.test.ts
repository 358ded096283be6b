import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPasswords } from './passwords.ts';

test('passwords are hashed and checked off the event loop: it goes on turning meanwhile', async () => {
  const passwords = await createPasswords();
  const state = { isBusy: true };
  const work = Promise.all(Array.from({ length: 8 }, () => passwords.hash('correct horse battery'))).finally(() => {
    state.isBusy = false;
  });
  let longestMs = 0;
  let turns = 0;
  for (let last = performance.now(); state.isBusy; turns++) {
    await setImmediate();
    const now = performance.now();
    longestMs = Math.max(longestMs, now - last);
    last = now;
  }
  await work;
  const start = performance.now();
  await passwords.hash('correct horse battery');
  const oneMs = performance.now() - start;
  // On the loop each of the eight would hold it for the whole time that one takes, and it would turn eight times.
  expect(turns).toBeGreaterThan(100);
  expect(longestMs).toBeLessThan(8 * oneMs);
});
