import { newId } from '@kindred/domain/ids';
import { createLogger } from '@kindred/service/logger';
import { expect, test } from 'vitest';
import { createUsageLedger, type UsageBatch } from './usage-ledger.ts';

const logger = createLogger('test', 'silent');

/** A ledger before a database that keeps the first of equal batches, as the real one does. */
function createWorld() {
  const kept = new Map<string, UsageBatch>();
  const state = { failsBefore: false, failsAfter: false };
  const ledger = createUsageLedger({
    logger,
    send: async (batch) => {
      if (state.failsBefore) throw new Error('not reached');
      if (!kept.has(batch.batchId)) kept.set(batch.batchId, batch);
      if (state.failsAfter) throw new Error('the acknowledgement was lost');
    },
  });
  const tenantId = newId('Tenant');
  const spend = (fields: object = {}) =>
    ledger.add({ tenantId, operation: 'QUERY', credential: 'session', points: 10, recommendations: 1, ...fields });
  const entries = () => [...kept.values()].flatMap((batch) => batch.entries);
  const sum = () => entries().reduce((total, { points }) => total + points, 0);
  return { ledger, state, spend, entries, sum, kept };
}

test('what is spent is added up by credential and kind', async () => {
  const { ledger, spend, entries } = createWorld();
  spend();
  spend({ points: 5, recommendations: 0 });
  spend({ credential: 'key' });
  spend({ operation: 'MUTATION' });
  expect(ledger.openCount()).toBe(3);
  await ledger.flush();
  expect(ledger.openCount()).toBe(0);
  expect(entries()).toMatchObject([{ requests: 2, points: 15, recommendations: 1 }, { requests: 1 }, { requests: 1 }]);
});

test('a flush whose acknowledgement is lost is sent again as the same batch: the sums stay what was spent', async () => {
  const { ledger, state, spend, sum, kept } = createWorld();
  spend();
  state.failsAfter = true;
  await ledger.flush();
  spend();
  await ledger.flush();
  state.failsAfter = false;
  await ledger.flush();
  await ledger.flush();
  expect(sum()).toBe(20);
  expect(kept.size).toBe(2);
  expect(ledger.openCount()).toBe(0);
});

test('while nothing is reached everything is kept, in one entry for each who spends', async () => {
  const { ledger, state, spend, sum } = createWorld();
  state.failsBefore = true;
  for (let time = 0; time < 50; time++) {
    spend();
    await ledger.flush();
  }
  expect(ledger.openCount()).toBe(2);
  state.failsBefore = false;
  await ledger.flush();
  await ledger.flush();
  expect(sum()).toBe(500);
});

test('flushes at once send each batch once', async () => {
  const { ledger, spend, sum, kept } = createWorld();
  for (let time = 0; time < 100; time++) spend();
  await Promise.all([ledger.flush(), ledger.flush(), ledger.flush()]);
  expect([sum(), kept.size]).toEqual([1_000, 1]);
});
