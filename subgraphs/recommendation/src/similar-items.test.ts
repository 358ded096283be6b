import { upsertItems, findItemsByExternalIds } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { encodeGlobalId, newId } from '@kindred/domain/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Answer,
  createTestRecommendation,
  createTrainedWorld,
  createWorld,
  namesOf,
  SIMILAR,
  type TestRecommendation,
  type TrainedWorld,
  type World,
} from './test-recommendation.ts';

let subgraph: TestRecommendation;
let world: TrainedWorld;
let foreign: TrainedWorld;
beforeAll(async () => {
  subgraph = await createTestRecommendation();
  world = await createTrainedWorld(subgraph);
  foreign = await createTrainedWorld(subgraph);
});
afterAll(() => subgraph[Symbol.asyncDispose]());

async function similarTo({ viewer }: World, itemId: string, first = 20): Promise<Answer> {
  return (await subgraph.read<{ answer: Answer }>(viewer, SIMILAR, { itemId, first })).answer;
}

test('the items of the same taste are nearest, by falling cosine, the item itself left out', async () => {
  const answer = await similarTo(world, world.globalIdOf('item-4'));
  expect(answer).toMatchObject({
    status: 'PERSONALIZED',
    modelVersion: { id: encodeGlobalId('ModelVersion', world.version.id) },
    pageInfo: { hasNextPage: false, hasPreviousPage: false },
  });
  const names = namesOf(world, answer);
  expect(names).toHaveLength(19);
  expect(names).not.toContain('item-4');
  const evenFirst = names.map((name) => Number(name.replace('item-', '')) % 2);
  expect(evenFirst).toEqual(evenFirst.toSorted((left, right) => left - right));
  const scores = answer.edges.map(({ score }) => score);
  expect(scores).toEqual(scores.toSorted((left, right) => right - left));
  expect(Math.max(...scores.map(Math.abs))).toBeLessThanOrEqual(1.000_001);
  expect(scores[0]).toBeGreaterThan(0.8);
});

test('a page holds as many as asked', async () => {
  const { edges } = await similarTo(world, world.globalIdOf('item-4'), 3);
  expect(edges.map(({ rank }) => rank)).toEqual([1, 2, 3]);
});

test("another tenant's item, an unknown one and what is no id are refused", async () => {
  const ask = async (itemId: string) => (await subgraph.ask(world.viewer, SIMILAR, { itemId })).errors;
  const theirs = foreign.globalIdOf('item-4');
  expect(await ask(theirs)).toMatchObject([
    { message: `There is no item ${theirs}.`, extensions: { code: 'NOT_FOUND' } },
  ]);
  expect(await ask(encodeGlobalId('Item', newId('Item')))).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  expect(await ask('item-4')).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
});

test('a page size that cannot be is refused', async () => {
  const variables = { itemId: world.globalIdOf('item-4'), first: 101 };
  const { errors } = await subgraph.ask(world.viewer, SIMILAR, variables);
  expect(errors).toMatchObject([{ message: 'first must be 1-100, got 101.' }]);
});

test('beside an item that the version does not know stand the most popular ones', async () => {
  const own = await createTrainedWorld(subgraph);
  const [item] = await withTenant(subgraph.db, own.tenantId, async (tx) => {
    await upsertItems(tx, [{ externalId: 'new', title: 'New', categories: [], properties: {} }]);
    return await findItemsByExternalIds(tx, ['new']);
  });
  const answer = await similarTo(own, encodeGlobalId('Item', item?.id ?? newId('Item')));
  expect(answer.status).toBe('COLD_START');
  expect(namesOf(own, answer).toSorted()).toEqual(own.board.itemExternalIds.toSorted());
});

test("without a version stand the tenant's most popular items", async () => {
  const untrained = await createWorld(subgraph);
  await untrained.view('fan', 'item-7', 'item-7');
  const answer = await similarTo(untrained, untrained.globalIdOf('item-4'));
  expect(answer).toMatchObject({ status: 'FALLBACK', modelVersion: null });
  const names = namesOf(untrained, answer);
  expect([names[0], names.length, names.includes('item-4')]).toEqual(['item-7', 19, false]);
});
