import { upsertItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { encodeCursor } from '@kindred/domain/cursor';
import { encodeGlobalId } from '@kindred/domain/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createTestRecommendation,
  createTrainedWorld,
  createWorld,
  recommend,
  refused,
  serveNewVersion,
  type TestRecommendation,
  type TrainedWorld,
  type World,
} from './test-recommendation.ts';

let subgraph: TestRecommendation;
let world: TrainedWorld;
beforeAll(async () => {
  subgraph = await createTestRecommendation();
  world = await createTrainedWorld(subgraph, { itemCount: 60 });
});
afterAll(() => subgraph[Symbol.asyncDispose]());

type Input = Omit<Parameters<typeof recommend>[2], 'after'>;

/** All pages of an answer as (rank, item) pairs; `between` runs before each further page. */
async function readPages(of: World, input: Input, between: () => Promise<void> = async () => {}) {
  const found: [rank: number, itemId: string][] = [];
  for (let after: string | null = null; ; ) {
    const { edges, pageInfo } = await recommend(subgraph, of, { ...input, after });
    found.push(...edges.map(({ rank, node }): [number, string] => [rank, node.id]));
    expect(pageInfo.hasPreviousPage).toBe(after !== null);
    expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor);
    if (!pageInfo.hasNextPage) return found;
    after = pageInfo.endCursor;
    await between();
  }
}

test.each([
  ['a user', { user: { externalId: 'user-4' } }, 31],
  ['a user, explained', { user: { externalId: 'user-4' }, explain: true }, 31],
  ['a session', { user: { sessionItems: ['item-1', 'item-2'] }, excludeItems: ['item-3'] }, 57],
  ['a stranger', {}, 60],
])('the pages for %s are one list without gaps and repeats', async (_, input, count) => {
  const pages = await readPages(world, { ...input, first: 7 });
  expect(pages.map(([rank]) => rank)).toEqual(Array.from({ length: count }, (__, position) => position + 1));
  expect(new Set(pages.map(([, itemId]) => itemId)).size).toBe(count);
  expect(await readPages(world, { ...input, first: 100 })).toEqual(pages);
});

test('clicks and a promotion between pages change new answers and not the next page', async () => {
  const own = await createTrainedWorld(subgraph, { itemCount: 60 });
  const input = { user: { externalId: 'user-4' }, first: 9 };
  const before = await readPages(own, { ...input, first: 100 });
  let hasHappened = false;
  const pages = await readPages(own, input, async () => {
    if (hasHappened) return;
    hasHappened = true;
    // One that was seen before, one of the first page, and others: nothing of it may move the list.
    await own.view('user-4', 'item-0', 'item-1', 'item-3', 'item-5');
    await serveNewVersion(subgraph, own);
  });
  expect(pages).toEqual(before);
  expect(await readPages(own, { ...input, first: 100 })).not.toEqual(before);
});

test('a page after the second promotion is refused, and says what to do', async () => {
  const own = await createTrainedWorld(subgraph);
  const { pageInfo } = await recommend(subgraph, own, { first: 3 });
  await serveNewVersion(subgraph, own);
  await serveNewVersion(subgraph, own);
  const message = 'The version that made the page before no longer answers: ask for the first page again.';
  expect(await refused(subgraph, own, { first: 3, after: pageInfo.endCursor })).toMatchObject([
    { message, extensions: { code: 'BAD_USER_INPUT' } },
  ]);
});

test('pages that began without a version go on without one', async () => {
  const own = await createWorld(subgraph);
  const before = await readPages(own, { first: 100 });
  let hasHappened = false;
  const pages = await readPages(own, { first: 6 }, async () => {
    if (!hasHappened) await serveNewVersion(subgraph, own);
    hasHappened = true;
  });
  expect(pages).toEqual(before);
  expect((await recommend(subgraph, own, {})).status).toBe('COLD_START');
});

test('a cursor of another question, another tenant or nobody is refused with what was wanted and got', async () => {
  const foreign = await createTrainedWorld(subgraph);
  const user = { externalId: 'user-4' };
  const { pageInfo } = await recommend(subgraph, world, { user, first: 3 });
  const theirs = await recommend(subgraph, foreign, { user, first: 3 });
  const after = pageInfo.endCursor ?? '';
  const noCursor = `after is "${after}", no cursor of this question: wanted the endCursor of an earlier page of the same user, where, excludeItems and explain.`;
  for (const input of [
    { user: { externalId: 'user-6' } },
    { user, explain: true },
    { user, excludeItems: ['item-1'] },
  ]) {
    expect(await refused(subgraph, world, { ...input, after })).toMatchObject([
      { message: noCursor, extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  }
  for (const other of [theirs.pageInfo.endCursor, encodeCursor('itm_1'), '!', '']) {
    const errors = await refused(subgraph, world, { user, after: other });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  }
});

test('an answer ends at rank 1,000, with and without a version', async () => {
  const large = await createWorld(subgraph, { itemCount: 1_200, userCount: 6 });
  const popular = await readPages(large, { first: 100 });
  expect(popular).toHaveLength(1_000);
  await serveNewVersion(subgraph, large);
  const ranked = await readPages(large, { user: { externalId: 'user-0' }, first: 100 });
  // 599 of 1,200 are seen.
  expect(new Set(ranked.map(([, itemId]) => itemId)).size).toBe(601);
  const stranger = await readPages(large, { first: 100 });
  expect(new Set(stranger.map(([, itemId]) => itemId)).size).toBe(1_000);
  const session = await readPages(large, { user: { sessionItems: ['item-0'] }, first: 90 });
  expect(new Set(session.map(([, itemId]) => itemId)).size).toBe(1_000);
});

test('items that came after the training are on the pages after those that the version knows', async () => {
  const own = await createTrainedWorld(subgraph);
  const items = Array.from({ length: 30 }, (_, item) => {
    return { externalId: `new-${item}`, title: 'New', categories: [], properties: {} };
  });
  await withTenant(subgraph.db, own.tenantId, (tx) => upsertItems(tx, items));
  const pages = await readPages(own, { user: { externalId: 'user-1' }, first: 4 });
  const known = new Set([...own.board.itemIds.values()].map((id) => encodeGlobalId('Item', id)));
  expect(pages.map(([, itemId]) => known.has(itemId))).toEqual([...Array(11).fill(true), ...Array(30).fill(false)]);
  expect(new Set(pages.map(([, itemId]) => itemId)).size).toBe(41);
});
