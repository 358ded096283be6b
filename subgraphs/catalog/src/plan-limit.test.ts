import { PLANS } from '@kindred/domain/plans';
import { pretendUse } from '@kindred/testing/pretend-use';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCatalog, type TestCatalog } from './test-catalog.ts';

const UPSERT = `mutation ($input: UpsertItemsInput!) {
  upsertItems(input: $input) { writtenCount failedCount userErrors { code message path } }
}`;
const RECORD = `mutation ($input: RecordInteractionsInput!) {
  recordInteractions(input: $input) { recordedCount duplicateCount failedCount userErrors { code message path } }
}`;
const items = ['lamp', 'chair'].map((externalId) => ({ externalId, title: externalId }));

let catalog: TestCatalog;
beforeAll(async () => {
  catalog = await createTestCatalog();
});
afterAll(() => catalog[Symbol.asyncDispose]());

test('items beyond the plan are refused with what was wanted and got, and the same call works once there is room', async () => {
  const [ours, theirs] = [await createTestTenant(catalog.db), await createTestTenant(catalog.db)];
  await pretendUse(catalog, ours.tenantId, { items: PLANS.FREE.itemCount - 1 });
  const input = { items, idempotencyKey: 'first catalogue' };
  const message = 'The plan FREE allows 10,000 items: there are 9,999, and 2 more were wanted.';
  expect(await catalog.read(ours.viewer, UPSERT, { input })).toEqual({
    upsertItems: {
      writtenCount: 0,
      failedCount: 2,
      userErrors: [{ code: 'PLAN_LIMIT_REACHED', message, path: ['items'] }],
    },
  });
  const one = { ...input, items: items.slice(0, 1), idempotencyKey: 'one' };
  expect(await catalog.read(ours.viewer, UPSERT, { input: one })).toMatchObject({ upsertItems: { writtenCount: 1 } });
  expect(await catalog.read(theirs.viewer, UPSERT, { input })).toMatchObject({ upsertItems: { writtenCount: 2 } });
});

test('interactions beyond the plan are refused, whatever the error policy, and nothing of them is recorded', async () => {
  const { viewer, tenantId } = await createTestTenant(catalog.db);
  await catalog.read(viewer, UPSERT, { input: { items } });
  await pretendUse(catalog, tenantId, { interactions: PLANS.FREE.interactionCount - 1 });
  const interactions = items.map(({ externalId }) => ({
    userExternalId: 'ann',
    itemExternalId: externalId,
    type: 'VIEW',
    eventId: externalId,
  }));
  for (const errorPolicy of ['REJECT_EVERYTHING', 'REJECT_FAILED_ROWS']) {
    const answer = await catalog.read(viewer, RECORD, { input: { interactions, errorPolicy } });
    expect(answer).toMatchObject({
      recordInteractions: {
        recordedCount: 0,
        failedCount: 2,
        userErrors: [{ code: 'PLAN_LIMIT_REACHED', path: ['interactions'] }],
      },
    });
  }
  const input = { interactions: interactions.slice(0, 1) };
  const answer = await catalog.read(viewer, RECORD, { input });
  expect(answer).toMatchObject({ recordInteractions: { recordedCount: 1, duplicateCount: 0 } });
});
