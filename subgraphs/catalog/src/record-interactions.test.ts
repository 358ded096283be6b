import type { Viewer } from '@kindred/domain/viewer';
import { requireTenant } from '@kindred/service/guards';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCatalog, type TestCatalog } from './test-catalog.ts';

interface Recorded {
  recordInteractions: {
    recordedCount: number;
    duplicateCount: number;
    failedCount: number;
    userErrors: { code: string; message: string; path: string[] }[];
  };
}

const UPSERT = `mutation ($items: [ItemInput!]!) { upsertItems(input: { items: $items }) { writtenCount } }`;
const RECORD = `mutation ($input: RecordInteractionsInput!) {
  recordInteractions(input: $input) { recordedCount duplicateCount failedCount userErrors { code message path } }
}`;
const HISTORY = `{ user(externalId: "ann") { interactions(first: 100) { edges { node { type value occurredAt item { externalId } } } } } }`;
const VIEW = { userExternalId: 'ann', itemExternalId: 'm1', type: 'VIEW' };

let catalog: TestCatalog;
beforeAll(async () => {
  catalog = await createTestCatalog();
});
afterAll(() => catalog[Symbol.asyncDispose]());

async function createStocked(...externalIds: string[]): Promise<Viewer> {
  const { viewer } = await createTestTenant(catalog.db);
  await catalog.read(viewer, UPSERT, { items: externalIds.map((externalId) => ({ externalId, title: externalId })) });
  return viewer;
}

async function record(
  viewer: Viewer,
  interactions: object[],
  errorPolicy?: string,
): Promise<Recorded['recordInteractions']> {
  const input = { interactions, ...(errorPolicy === undefined ? {} : { errorPolicy }) };
  return (await catalog.read<Recorded>(viewer, RECORD, { input })).recordInteractions;
}

test('what is recorded is the history of its user, newest first', async () => {
  const viewer = await createStocked('m1', 'm2');
  const answer = await record(viewer, [
    { ...VIEW, occurredAt: '2026-01-01T00:00:00.000Z' },
    { ...VIEW, itemExternalId: 'm2', type: 'RATING', value: 4.5, occurredAt: '2026-01-02T01:00:00+01:00' },
  ]);
  expect(answer).toEqual({ recordedCount: 2, duplicateCount: 0, failedCount: 0, userErrors: [] });
  expect(await catalog.read(viewer, HISTORY)).toEqual({
    user: {
      interactions: {
        edges: [
          { node: { type: 'RATING', value: 4.5, occurredAt: '2026-01-02T00:00:00.000Z', item: { externalId: 'm2' } } },
          { node: { type: 'VIEW', value: null, occurredAt: '2026-01-01T00:00:00.000Z', item: { externalId: 'm1' } } },
        ],
      },
    },
  });
});

test('an interaction without a time happened now', async () => {
  const viewer = await createStocked('m1');
  await record(viewer, [VIEW]);
  type History = { user: { interactions: { edges: [{ node: { occurredAt: string } }] } } };
  const { user } = await catalog.read<History>(viewer, HISTORY);
  expect(Math.abs(Date.now() - Date.parse(user.interactions.edges[0].node.occurredAt))).toBeLessThan(60_000);
});

const FUTURE = new Date(Date.now() + 3_600_000).toISOString();

test.each([
  [{ userExternalId: '' }, 'userExternalId', /^userExternalId must be 1-200 characters, got 0\.$/],
  [{ itemExternalId: '' }, 'itemExternalId', /^itemExternalId must be 1-200 characters, got 0\.$/],
  [
    { userExternalId: '\0' },
    'userExternalId',
    /^userExternalId must be well-formed text without NUL, got "\\u0000"\.$/,
  ],
  [{ eventId: '' }, 'eventId', /^eventId must be 1-200 characters, got 0\.$/],
  [{ type: 'RATING' }, 'value', /^value must hold the rating of a RATING, got none\.$/],
  [{ type: 'RATING', value: 1e7 }, 'value', /^value must be between -1000000 and 1000000, got 10000000\.$/],
  [{ type: 'PURCHASE', value: 0 }, 'value', /^value must be a quantity above 0 for a PURCHASE, got 0\.$/],
  [
    { occurredAt: FUTURE },
    'occurredAt',
    new RegExp(`^occurredAt must not be in the future \\(it is .*Z\\), got ${FUTURE}\\.$`),
  ],
  [
    { occurredAt: '1969-12-31T23:59:59Z' },
    'occurredAt',
    /^occurredAt must not be before 1970, got 1969-12-31T23:59:59.000Z\.$/,
  ],
])('an interaction with %j is a wrong row that says what was wanted and got', async (fields, field, message) => {
  const viewer = await createStocked('m1');
  const answer = await record(viewer, [{ ...VIEW, ...fields }, VIEW]);
  const userErrors = [{ code: 'INVALID', message: expect.stringMatching(message), path: ['interactions', '0', field] }];
  expect(answer).toEqual({ recordedCount: 1, duplicateCount: 0, failedCount: 1, userErrors });
});

test("a sender's clock may run ahead by some minutes", async () => {
  const viewer = await createStocked('m1');
  const occurredAt = new Date(Date.now() + 4 * 60_000).toISOString();
  expect(await record(viewer, [{ ...VIEW, occurredAt }])).toMatchObject({ recordedCount: 1 });
});

test.each([
  ['nope', 'itemExternalId must be the externalId of an item, got "nope".'],
  ['42.0', 'itemExternalId must be the externalId of an item, got "42.0" (did you mean "42"?).'],
  [' m1', 'itemExternalId must be the externalId of an item, got " m1" (did you mean "m1"?).'],
  ['M1', 'itemExternalId must be the externalId of an item, got "M1" (did you mean "m1"?).'],
  ['0042', 'itemExternalId must be the externalId of an item, got "0042" (did you mean "42"?).'],
])('an unknown item %j is a failed row that names the item that was near', async (itemExternalId, message) => {
  const viewer = await createStocked('m1', '42');
  const answer = await record(viewer, [VIEW, { ...VIEW, itemExternalId }]);
  const userErrors = [{ code: 'NOT_FOUND', message, path: ['interactions', '1', 'itemExternalId'] }];
  expect(answer).toEqual({ recordedCount: 1, duplicateCount: 0, failedCount: 1, userErrors });
});

test('wrong rows and unknown items are reported together in the order sent, the first 100', async () => {
  const viewer = await createStocked('m1');
  const rows = Array.from({ length: 150 }, (_, row) => ({
    ...VIEW,
    itemExternalId: row % 2 === 0 ? '' : `none-${row}`,
  }));
  const { failedCount, userErrors } = await record(viewer, [VIEW, ...rows]);
  expect(failedCount).toBe(150);
  expect(userErrors.map(({ path }) => Number(path[1]))).toEqual(Array.from({ length: 100 }, (_, row) => row + 1));
  expect(userErrors.slice(0, 2).map(({ code }) => code)).toEqual(['INVALID', 'NOT_FOUND']);
});

test.each([{ itemExternalId: 'none' }, { type: 'RATING' }])(
  'REJECT_EVERYTHING with %j records nothing at all',
  async (fields) => {
    const viewer = await createStocked('m1');
    const answer = await record(viewer, [VIEW, { ...VIEW, ...fields }, VIEW], 'REJECT_EVERYTHING');
    expect(answer).toMatchObject({
      recordedCount: 0,
      duplicateCount: 0,
      failedCount: 3,
      userErrors: [{ path: expect.arrayContaining(['1']) }],
    });
    expect(await catalog.read(viewer, HISTORY)).toEqual({ user: null });
  },
);

test('REJECT_EVERYTHING records everything when every row is right', async () => {
  const viewer = await createStocked('m1');
  expect(await record(viewer, [VIEW, VIEW], 'REJECT_EVERYTHING')).toMatchObject({ recordedCount: 2, failedCount: 0 });
});

test('the same eventId counts once, within a call, over calls, and over calls at once', async () => {
  const viewer = await createStocked('m1');
  const event = { ...VIEW, eventId: 'e1' };
  expect(await record(viewer, [event, event])).toMatchObject({ recordedCount: 1, duplicateCount: 1 });
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => record(viewer, [event, { ...VIEW, eventId: 'e2' }])),
  );
  expect(answers.reduce((sum, { recordedCount }) => sum + recordedCount, 0)).toBe(1);
});

test.each([0, 5001])('%i rows are refused as a whole', async (count) => {
  const viewer = await createStocked('m1');
  const answer = await record(
    viewer,
    Array.from({ length: count }, () => VIEW),
  );
  const userErrors = [
    { code: 'INVALID', message: `interactions must hold 1-5000 rows, got ${count}.`, path: ['interactions'] },
  ];
  expect(answer).toEqual({ recordedCount: 0, duplicateCount: 0, failedCount: count, userErrors });
});

test("another tenant's items are unknown, its hints included, and its users stay its own", async () => {
  const own = await createStocked('m1');
  const foreign = await createStocked('other');
  await record(own, [{ ...VIEW, eventId: 'shared' }]);
  const answer = await record(foreign, [
    { ...VIEW, eventId: 'shared' },
    { ...VIEW, itemExternalId: 'M1' },
  ]);
  expect(answer).toMatchObject({ recordedCount: 0, duplicateCount: 0, failedCount: 2 });
  expect(JSON.stringify(answer)).not.toContain('did you mean');
  expect(await catalog.read(foreign, HISTORY)).toEqual({ user: null });
  expect(await record(foreign, [{ ...VIEW, itemExternalId: 'other', eventId: 'shared' }])).toMatchObject({
    recordedCount: 1,
  });
});

test('what is acknowledged is in the history of its user, and in that of no other tenant', async () => {
  const [viewer, other] = [await createStocked('m1', 'm2'), await createStocked('m1')];
  const keyOf = (of: Viewer) => ({ tenantId: requireTenant(of), userExternalId: 'ann' });
  for (const of of [viewer, other]) {
    const known = await catalog.histories.read(keyOf(of));
    if (known === null) throw new Error('Redis does not answer.');
    await catalog.histories.store(keyOf(of), { ...known, userId: 'ann', events: [] });
  }
  const token = await catalog.histories.token(keyOf(other));
  await record(viewer, [VIEW, { ...VIEW, itemExternalId: 'ghost' }, { ...VIEW, itemExternalId: 'm2' }]);
  expect((await catalog.histories.read(keyOf(viewer)))?.events).toHaveLength(2);
  expect(await catalog.histories.read(keyOf(other))).toMatchObject({ token, events: [] });
});
