import { createTestTenant } from '@kindred/testing/test-tenant';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCatalog, type TestCatalog } from './test-catalog.ts';

interface Page {
  items: {
    edges: { cursor: string; node: { externalId: string; title: string } }[];
    pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
  };
}

const UPSERT = `mutation ($items: [ItemInput!]!) { upsertItems(input: { items: $items }) { writtenCount failedCount userErrors { code message path } } }`;
const ITEM = `query ($externalId: String!) { item(externalId: $externalId) { externalId title categories properties updatedAt } }`;
const ITEMS = `query ($first: Int!, $after: String, $search: String) {
  items(first: $first, after: $after, search: $search) {
    edges { cursor node { externalId title } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

let catalog: TestCatalog;
beforeAll(async () => {
  catalog = await createTestCatalog();
});
afterAll(() => catalog[Symbol.asyncDispose]());

async function createStocked(titles: readonly string[]) {
  const { viewer } = await createTestTenant(catalog.db);
  const items = titles.map((title, position) => ({ externalId: `item-${position}`, title }));
  await catalog.read(viewer, UPSERT, { items });
  return viewer;
}

test('an item reads as it was written, and the last write counts', async () => {
  const { viewer } = await createTestTenant(catalog.db);
  const properties = { year: 1999, tags: ['café', { deep: null }] };
  const first = { externalId: 'é 1', title: 'The Matrix', categories: ['Action', 'Sci-Fi', 'Action'], properties };
  await catalog.read(viewer, UPSERT, { items: [{ ...first, title: 'Old' }] });
  await catalog.read(viewer, UPSERT, { items: [first] });
  const { item } = await catalog.read<{ item: { updatedAt: string } }>(viewer, ITEM, { externalId: 'é 1' });
  expect(item).toEqual({ ...first, categories: ['Action', 'Sci-Fi'], updatedAt: expect.any(String) });
  expect(Date.now() - Date.parse(item.updatedAt)).toBeLessThan(60_000);
});

test('an item that the tenant does not have is null, also when its id cannot be stored', async () => {
  const { viewer } = await createTestTenant(catalog.db);
  expect(await catalog.read(viewer, ITEM, { externalId: 'none' })).toEqual({ item: null });
  expect(await catalog.read(viewer, ITEM, { externalId: 'nul\0' })).toEqual({ item: null });
});

test('pages cover every item once, in order, and say where they stand', async () => {
  const viewer = await createStocked(['a', 'b', 'c', 'd', 'e']);
  const seen: string[] = [];
  const stands: boolean[][] = [];
  for (let after: string | null = null, more = true; more; ) {
    const { items }: Page = await catalog.read<Page>(viewer, ITEMS, { first: 2, after });
    seen.push(...items.edges.map(({ node }) => node.title));
    stands.push([items.pageInfo.hasPreviousPage, items.pageInfo.hasNextPage]);
    expect(items.pageInfo.startCursor).toBe(items.edges[0]?.cursor);
    after = items.pageInfo.endCursor;
    more = items.pageInfo.hasNextPage;
  }
  expect(seen.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(stands).toEqual([
    [false, true],
    [true, true],
    [true, false],
  ]);
});

test('items that are written while somebody pages do not move the pages', async () => {
  const viewer = await createStocked(['a', 'b', 'c']);
  const first = await catalog.read<Page>(viewer, ITEMS, { first: 2 });
  await catalog.read(viewer, UPSERT, { items: [{ externalId: 'late', title: 'late' }] });
  const next = await catalog.read<Page>(viewer, ITEMS, { first: 9, after: first.items.pageInfo.endCursor });
  expect([...first.items.edges, ...next.items.edges].map(({ node }) => node.title).toSorted()).toEqual([
    'a',
    'b',
    'c',
    'late',
  ]);
});

test.each([
  ['matrix', ['The Matrix', 'Matrix Reloaded']],
  ['100%', ['100% Wolf']],
  ['a_b', ['a_b']],
  ['\\', ['back\\slash']],
  ['nothing like it', []],
])('search %j finds exactly the titles that contain it, in any case', async (search, titles) => {
  const viewer = await createStocked([
    'The Matrix',
    'Matrix Reloaded',
    '100% Wolf',
    '1000 Wolves',
    'a_b',
    'axb',
    'back\\slash',
  ]);
  const { items } = await catalog.read<Page>(viewer, ITEMS, { first: 10, search });
  expect(items.edges.map(({ node }) => node.title).toSorted()).toEqual(titles.toSorted());
});

test.each([
  [{ first: 0 }, 'first must be 1-100, got 0.'],
  [{ first: 101 }, 'first must be 1-100, got 101.'],
  [{ first: 1, after: 'rubbish!' }, '"rubbish!" is not a cursor: wanted the endCursor of an earlier page.'],
  [{ first: 1, after: Buffer.from('x').toString('base64url') }, '"x" is no Item id: wanted "itm_" and 32 hex digits.'],
  [{ first: 1, search: 'x'.repeat(201) }, 'search must be 0-200 characters, got 201.'],
  [{ first: 1, search: '\0' }, 'search must be well-formed text without NUL, got "\\u0000".'],
])('a page of %j is refused with what was wanted and got', async (variables, message) => {
  const { viewer } = await createTestTenant(catalog.db);
  const { errors } = await catalog.ask(viewer, ITEMS, variables);
  expect(errors).toMatchObject([{ message, extensions: { code: 'BAD_USER_INPUT' } }]);
});

test("a tenant neither reads, lists, finds nor overwrites another's items", async () => {
  const own = await createStocked(['mine']);
  const { viewer: foreign } = await createTestTenant(catalog.db);
  expect(await catalog.read(foreign, ITEM, { externalId: 'item-0' })).toEqual({ item: null });
  expect((await catalog.read<Page>(foreign, ITEMS, { first: 10 })).items.edges).toEqual([]);
  expect((await catalog.read<Page>(foreign, ITEMS, { first: 10, search: 'mine' })).items.edges).toEqual([]);
  const { items } = await catalog.read<Page>(own, ITEMS, { first: 10 });
  const borrowed = await catalog.read<Page>(foreign, ITEMS, { first: 10, after: items.edges[0]?.cursor });
  expect(borrowed.items.edges).toEqual([]);
  await catalog.read(foreign, UPSERT, { items: [{ externalId: 'item-0', title: 'theirs' }] });
  expect(await catalog.read(own, ITEM, { externalId: 'item-0' })).toMatchObject({ item: { title: 'mine' } });
});
