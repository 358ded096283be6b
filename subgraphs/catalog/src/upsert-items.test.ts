import { createTestTenant } from '@kindred/testing/test-tenant';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCatalog, type TestCatalog } from './test-catalog.ts';

interface Written {
  upsertItems: { writtenCount: number; failedCount: number; userErrors: { message: string; path: string[] }[] };
}

const UPSERT = `mutation ($input: UpsertItemsInput!) {
  upsertItems(input: $input) { writtenCount failedCount userErrors { code message path } }
}`;
const TITLES = '{ items(first: 100) { edges { node { title } } } }';

let catalog: TestCatalog;
beforeAll(async () => {
  catalog = await createTestCatalog();
});
afterAll(() => catalog[Symbol.asyncDispose]());

async function readTitles(viewer: Parameters<TestCatalog['read']>[0]): Promise<string[]> {
  type Titles = { items: { edges: { node: { title: string } }[] } };
  const { items } = await catalog.read<Titles>(viewer, TITLES);
  return items.edges.map(({ node }) => node.title);
}

function deep(levels: number): object {
  return levels === 0 ? {} : { inner: deep(levels - 1) };
}

test.each([
  [{ externalId: '' }, 'externalId', 'externalId must be 1-200 characters, got 0.'],
  [{ externalId: 'x'.repeat(201) }, 'externalId', 'externalId must be 1-200 characters, got 201.'],
  [{ externalId: 'a\0' }, 'externalId', 'externalId must be well-formed text without NUL, got "a\\u0000".'],
  [{ title: '' }, 'title', 'title must be 1-500 characters, got 0.'],
  [{ title: 'half \ud83d' }, 'title', 'title must be well-formed text without NUL, got "half \\ud83d".'],
  [
    { categories: Array.from({ length: 51 }, (_, n) => `c${n}`) },
    'categories',
    'categories must be at most 50, got 51.',
  ],
  [{ categories: ['ok', ''] }, 'categories', 'categories at position 1 must be 1-100 characters, got 0.'],
  [
    { properties: { text: 'x'.repeat(32 * 1024) } },
    'properties',
    'properties must be at most 32768 bytes as JSON, got 32779.',
  ],
  [{ properties: deep(17) }, 'properties', 'properties must be nested at most 16 levels deep, got more.'],
  [{ properties: { a: ['\0'] } }, 'properties', 'properties must be well-formed text without NUL, got \\u0000.'],
])('an item with %j is a wrong row that says what was wanted and got', async (fields, field, message) => {
  const { viewer } = await createTestTenant(catalog.db);
  const items = [
    { externalId: 'good', title: 'good' },
    { externalId: 'bad', title: 'bad', ...fields },
  ];
  const answer = await catalog.read(viewer, UPSERT, { input: { items, errorPolicy: 'REJECT_FAILED_ROWS' } });
  const userErrors = [{ code: 'INVALID', message, path: ['items', '1', field] }];
  expect(answer).toEqual({ upsertItems: { writtenCount: 1, failedCount: 1, userErrors } });
  expect(await readTitles(viewer)).toEqual(['good']);
});

test('a text that only spells an escape is stored as it is', async () => {
  const { viewer } = await createTestTenant(catalog.db);
  const properties = { path: 'C:\\u0000', emoji: '👍' };
  await catalog.read(viewer, UPSERT, { input: { items: [{ externalId: 'a', title: '\\ud800', properties }] } });
  const answer = await catalog.read(viewer, '{ item(externalId: "a") { title properties } }');
  expect(answer).toEqual({ item: { title: '\\ud800', properties } });
});

test('by default one wrong row keeps every row from being written', async () => {
  const { viewer } = await createTestTenant(catalog.db);
  const items = [
    { externalId: 'a', title: 'a' },
    { externalId: 'b', title: '' },
  ];
  const { upsertItems } = await catalog.read<Written>(viewer, UPSERT, { input: { items } });
  expect(upsertItems).toMatchObject({
    writtenCount: 0,
    failedCount: 2,
    userErrors: [{ path: ['items', '1', 'title'] }],
  });
  expect(await readTitles(viewer)).toEqual([]);
});

test('a row that repeats the id of an earlier row is wrong', async () => {
  const { viewer } = await createTestTenant(catalog.db);
  const items = ['a', 'b', 'a'].map((externalId, row) => ({ externalId, title: `${externalId}${row}` }));
  const { upsertItems } = await catalog.read<Written>(viewer, UPSERT, {
    input: { items, errorPolicy: 'REJECT_FAILED_ROWS' },
  });
  expect(upsertItems.userErrors).toEqual([
    {
      code: 'INVALID',
      message: 'externalId must be in one row only, got "a" in row 0 too.',
      path: ['items', '2', 'externalId'],
    },
  ]);
  expect(await readTitles(viewer)).toEqual(['a0', 'b1']);
});

test.each([0, 5001])('%i rows are refused as a whole', async (count) => {
  const { viewer } = await createTestTenant(catalog.db);
  const items = Array.from({ length: count }, (_, row) => ({ externalId: `${row}`, title: `${row}` }));
  const { upsertItems } = await catalog.read<Written>(viewer, UPSERT, {
    input: { items, errorPolicy: 'REJECT_FAILED_ROWS' },
  });
  const userErrors = [{ code: 'INVALID', message: `items must hold 1-5000 rows, got ${count}.`, path: ['items'] }];
  expect(upsertItems).toEqual({ writtenCount: 0, failedCount: count, userErrors });
});

test('5,000 rows are written in one call, and of 5,000 wrong ones the first 100 are reported', async () => {
  const { viewer } = await createTestTenant(catalog.db);
  const items = Array.from({ length: 5000 }, (_, row) => ({ externalId: `${row}`, title: `Title ${row}` }));
  const { upsertItems } = await catalog.read<Written>(viewer, UPSERT, { input: { items } });
  expect(upsertItems).toEqual({ writtenCount: 5000, failedCount: 0, userErrors: [] });
  const wrong = items.map((item) => ({ ...item, title: '' }));
  const refused = await catalog.read<Written>(viewer, UPSERT, {
    input: { items: wrong, errorPolicy: 'REJECT_FAILED_ROWS' },
  });
  expect(refused.upsertItems).toMatchObject({ writtenCount: 0, failedCount: 5000 });
  expect(refused.upsertItems.userErrors.map(({ path }) => path[1])).toEqual(
    items.slice(0, 100).map((_, row) => `${row}`),
  );
});

test('the same idempotency key and rows have one effect and one answer, however many calls come at once', async () => {
  const { viewer } = await createTestTenant(catalog.db);
  const input = { items: [{ externalId: 'a', title: 'first' }], idempotencyKey: 'key 1' };
  const answers = await Promise.all(Array.from({ length: 8 }, () => catalog.read<Written>(viewer, UPSERT, { input })));
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  await catalog.read(viewer, UPSERT, { input: { items: [{ externalId: 'a', title: 'second' }] } });
  await catalog.read(viewer, UPSERT, { input });
  expect(await readTitles(viewer)).toEqual(['second']);
});

test('the same idempotency key with other rows is refused, but for another tenant it is another key', async () => {
  const { viewer } = await createTestTenant(catalog.db);
  const { viewer: other } = await createTestTenant(catalog.db);
  const input = { items: [{ externalId: 'a', title: 'first' }], idempotencyKey: 'key' };
  await catalog.read(viewer, UPSERT, { input });
  const changed = { ...input, items: [{ externalId: 'a', title: 'changed' }] };
  const { errors } = await catalog.ask(viewer, UPSERT, { input: changed });
  expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  await catalog.read(other, UPSERT, { input: changed });
  expect([await readTitles(viewer), await readTitles(other)]).toEqual([['first'], ['changed']]);
});

test('an empty idempotency key is named', async () => {
  const { viewer } = await createTestTenant(catalog.db);
  const input = { items: [{ externalId: 'a', title: 'a' }], idempotencyKey: '' };
  const { upsertItems } = await catalog.read<Written>(viewer, UPSERT, { input });
  const message = 'idempotencyKey must be 1-200 characters, got 0.';
  expect(upsertItems.userErrors).toEqual([{ code: 'INVALID', message, path: ['idempotencyKey'] }]);
});
