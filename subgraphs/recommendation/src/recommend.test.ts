import { upsertItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { encodeGlobalId } from '@kindred/domain/ids';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  type Answer,
  createTestRecommendation,
  createTrainedWorld,
  createWorld,
  namesOf,
  recommend,
  record,
  type TestRecommendation,
  type TrainedWorld,
  type World,
} from './test-recommendation.ts';
import { promote, trainTestVersion } from './test-version.ts';

let subgraph: TestRecommendation;
/** Not to be written to: the tests that write have worlds of their own. */
let world: TrainedWorld;
let foreign: TrainedWorld;
beforeAll(async () => {
  subgraph = await createTestRecommendation();
  world = await createTrainedWorld(subgraph);
  foreign = await createTrainedWorld(subgraph, { itemCount: 30 });
});
afterAll(() => subgraph[Symbol.asyncDispose]());

const ITEMS = Array.from({ length: 20 }, (_, item) => `item-${item}`);
const ODD = ITEMS.filter((_, item) => item % 2 === 1);
const EVEN = ITEMS.filter((_, item) => item % 2 === 0);

function scoresOf({ edges }: Answer): number[] {
  return edges.map(({ score }) => score);
}

async function addItem({ tenantId }: World, externalId: string): Promise<void> {
  const item = { externalId, title: externalId, categories: [], properties: {} };
  await withTenant(subgraph.db, tenantId, (tx) => upsertItems(tx, [item]));
}

test.each(['user-0', 'user-1', 'user-16', 'user-39'])(
  '%s is given first the one item of its taste it lacks',
  async (externalId) => {
    const answer = await recommend(subgraph, world, { user: { externalId }, first: 3 });
    expect(answer).toMatchObject({
      status: 'PERSONALIZED',
      modelVersion: { __typename: 'ModelVersion', id: encodeGlobalId('ModelVersion', world.version.id) },
    });
    expect(namesOf(world, answer)[0]).toBe(world.board.withheld.get(externalId));
    expect(answer.edges.map(({ rank }) => rank)).toEqual([1, 2, 3]);
    expect(answer.recommendationId).toMatch(/^rec_[0-9a-f]{12}7[0-9a-f]{19}$/);
  },
);

test("what a user has touched is not in the answer, and everything else is, of the user's tenant alone", async () => {
  const names = namesOf(world, await recommend(subgraph, world, { user: { externalId: 'user-2' }, first: 100 }));
  const withheld = world.board.withheld.get('user-2') ?? '';
  expect(names.toSorted()).toEqual([withheld, ...ODD].toSorted());
});

test('a session is recommended its own taste, without what it has seen', async () => {
  const sessionItems = ['item-1', 'item-3', 'item-5'];
  const answer = await recommend(subgraph, world, { user: { sessionItems }, first: 100 });
  expect(answer.status).toBe('PERSONALIZED');
  const names = namesOf(world, answer);
  const unseen = ODD.filter((name) => !sessionItems.includes(name));
  expect(names.slice(0, 7).toSorted()).toEqual(unseen.toSorted());
  expect(names).toHaveLength(17);
});

test('the instant first model answers by the same rule: users and sessions are given their own taste first', async () => {
  const own = await createWorld(subgraph);
  const version = await trainTestVersion(subgraph, own.tenantId, { algorithm: 'SPECTRAL' });
  await promote(subgraph.db, own.tenantId, version.id);
  const trained = await recommend(subgraph, own, { user: { externalId: 'user-1' } });
  expect(trained.status).toBe('PERSONALIZED');
  expect(namesOf(own, trained)[0]).toBe(own.board.withheld.get('user-1'));
  const folded = await recommend(subgraph, own, { user: { externalId: 'user-1' }, explain: true });
  expect(namesOf(own, folded)[0]).toBe(own.board.withheld.get('user-1'));
  scoresOf(folded).forEach((score, rank) => expect(score).toBeCloseTo(scoresOf(trained)[rank] ?? Number.NaN, 4));
  const session = await recommend(subgraph, own, { user: { sessionItems: ['item-1', 'item-3'] }, first: 8 });
  expect(namesOf(own, session).every((name) => ODD.includes(name))).toBe(true);
});

test('unknown items of a session are ignored, and a session of nothing else is a cold start', async () => {
  const known = await recommend(subgraph, world, { user: { sessionItems: ['item-1', 'item-3'] } });
  const mixed = await recommend(subgraph, world, { user: { sessionItems: ['no such', 'item-1', 'item-3', 'item-1'] } });
  expect([mixed.status, ...scoresOf(mixed)]).toEqual(['PERSONALIZED', ...scoresOf(known)]);
  const unknown = await recommend(subgraph, world, { user: { sessionItems: ['no such'] } });
  expect(unknown.status).toBe('COLD_START');
});

test.each([[{}], [{ user: null }], [{ user: { externalId: 'nobody' } }]])(
  'of whom nothing is known is given the most popular items: %j',
  async (input) => {
    const answer = await recommend(subgraph, world, input);
    expect(answer).toMatchObject({
      status: 'COLD_START',
      modelVersion: { id: encodeGlobalId('ModelVersion', world.version.id) },
    });
    const { popularity, itemIds } = world.version.artefact;
    const counts = answer.edges.map(({ node }) => {
      return popularity[itemIds.findIndex((id) => encodeGlobalId('Item', id as never) === node.id)];
    });
    expect(scoresOf(answer)).toEqual(counts);
    expect(counts).toEqual([...popularity].toSorted((left, right) => right - left));
  },
);

test('without a version the most popular items of the tenant answer, without those that were seen', async () => {
  const untrained = await createWorld(subgraph);
  await untrained.view('fan', 'item-7', 'item-7', 'item-7', 'item-8');
  const anyone = await recommend(subgraph, untrained, { first: 100 });
  expect(anyone).toMatchObject({ status: 'FALLBACK', modelVersion: null });
  expect(namesOf(untrained, anyone)[0]).toBe('item-7');
  expect(namesOf(untrained, anyone).toSorted()).toEqual(ITEMS.toSorted());
  const fan = await recommend(subgraph, untrained, {
    user: { externalId: 'fan' },
    excludeItems: ['item-2'],
    first: 100,
  });
  expect(fan.status).toBe('FALLBACK');
  expect(ITEMS.filter((name) => !namesOf(untrained, fan).includes(name))).toEqual(['item-2', 'item-7', 'item-8']);
});

test('a tenant without items is given an empty answer, and its first items at once', async () => {
  const empty = await createWorld(subgraph, { itemCount: 0, userCount: 0 });
  expect(await recommend(subgraph, empty, {})).toMatchObject({ status: 'FALLBACK', edges: [] });
  await addItem(empty, 'first');
  expect((await recommend(subgraph, empty, {})).edges).toHaveLength(1);
});

test('a click changes the next answer: a newcomer is known by it', async () => {
  const own = await createTrainedWorld(subgraph);
  const ask = () => recommend(subgraph, own, { user: { externalId: 'newcomer' }, first: 6 });
  expect((await ask()).status).toBe('COLD_START');
  await own.view('newcomer', 'item-1', 'item-3');
  const first = await ask();
  expect(first.status).toBe('PERSONALIZED');
  expect(namesOf(own, first).filter((name) => EVEN.includes(name))).toEqual([]);
  await own.view('newcomer', 'item-0', 'item-2', 'item-4', 'item-6', 'item-8');
  const second = await ask();
  expect(namesOf(own, second)[0]).toMatch(/item-1[0-8]/);
  expect(namesOf(own, second).filter((name) => EVEN.includes(name)).length).toBeGreaterThan(2);
});

test.each([
  ['of now', new Date()],
  ['that is recorded late', new Date('2020-01-01T00:00:00Z')],
])('an interaction %s moves a trained user on from the trained vector', async (_, occurredAt) => {
  const own = await createTrainedWorld(subgraph);
  const ask = () => recommend(subgraph, own, { user: { externalId: 'user-0' }, first: 3 });
  const before = await ask();
  await record(subgraph, own.tenantId, [{ userExternalId: 'user-0', itemExternalId: 'item-1', occurredAt }]);
  const after = await ask();
  expect(after.status).toBe('PERSONALIZED');
  expect(scoresOf(after)).not.toEqual(scoresOf(before));
  expect(namesOf(own, after)).not.toContain('item-1');
});

test('excluded items are not in the answer, whatever ranks', async () => {
  const excludeItems = ['item-0', 'item-1', 'item-18', 'no such'];
  for (const input of [{ user: { externalId: 'user-3' } }, { user: { sessionItems: ['item-5'] } }, {}]) {
    const names = namesOf(world, await recommend(subgraph, world, { ...input, excludeItems, first: 100 }));
    expect(names.filter((name) => excludeItems.includes(name))).toEqual([]);
    expect(names.length).toBeGreaterThan(7);
  }
});

test('items that the version does not know come last, when it has no more', async () => {
  const own = await createTrainedWorld(subgraph);
  await addItem(own, 'brand new');
  const user = { externalId: 'user-0' };
  const page = await recommend(subgraph, own, { user, first: 11 });
  expect(page.pageInfo.hasNextPage).toBe(true);
  const { edges } = await recommend(subgraph, own, { user, first: 100 });
  expect(edges).toHaveLength(12);
  expect(own.nameOf(edges[11]?.node.id ?? '')).toMatch(/^foreign item itm_/);
  expect(edges.slice(0, 11).map(({ node }) => node.id)).toEqual(page.edges.map(({ node }) => node.id));
  const all = await recommend(subgraph, own, { user, excludeItems: ITEMS });
  expect(all.edges).toMatchObject([{ rank: 1, score: 0, node: { id: edges[11]?.node.id } }]);
});

test("another tenant's users, items and versions do not exist", async () => {
  await addItem(foreign, 'only theirs');
  const plain = await recommend(subgraph, world, { user: { sessionItems: ['item-1'] }, first: 100 });
  const mixed = await recommend(subgraph, world, {
    user: { sessionItems: ['only theirs', 'item-1', 'item-25'] },
    excludeItems: ['only theirs', 'item-29'],
    first: 100,
  });
  expect(mixed.edges.map(({ node, score }) => [node.id, score])).toEqual(
    plain.edges.map(({ node, score }) => [node.id, score]),
  );
  expect((await recommend(subgraph, world, { user: { sessionItems: ['item-25'] } })).status).toBe('COLD_START');
  const theirs = await recommend(subgraph, foreign, { user: { externalId: 'user-0' }, first: 100 });
  const ours = await recommend(subgraph, world, { user: { externalId: 'user-0' }, first: 100 });
  expect(namesOf(world, ours).filter((name) => name.startsWith('foreign'))).toEqual([]);
  const common = theirs.edges.filter(({ node }) => ours.edges.some((edge) => edge.node.id === node.id));
  expect(common).toEqual([]);
  expect(theirs.modelVersion).not.toEqual(ours.modelVersion);
  await foreign.view('their user', 'item-1');
  expect((await recommend(subgraph, world, { user: { externalId: 'their user' } })).status).toBe('COLD_START');
});

test('an answer takes at most one transaction, the next one of the same user none; both say how long their stages took', async () => {
  const ask = (input = {}) =>
    recommend(subgraph, world, { user: { externalId: 'user-5' }, explain: true, first: 3, ...input });
  await recommend(subgraph, world, { first: 3 });
  const client = await subgraph.db.pool.connect();
  const query = vi.spyOn(Object.getPrototypeOf(client) as typeof client, 'query');
  client.release();
  const { timing } = await ask();
  // BEGIN, settings, the user with all items, COMMIT.
  expect(query.mock.calls).toHaveLength(4);
  const again = await ask();
  expect(again.timing.cached).toBe(true);
  expect(query.mock.calls).toHaveLength(4);
  query.mockRestore();
  const { totalMs, cached, ...stages } = timing;
  expect(cached).toBe(false);
  expect(timing.userMs).toBeGreaterThan(0);
  expect(timing.searchMs).toBeGreaterThan(0);
  expect(Object.values(stages).reduce((sum, stage) => sum + stage, 0)).toBeCloseTo(totalMs, 3);
});
