import { explainScore } from '@kindred/core/fold-in';
import { encodeGlobalId, type ItemId } from '@kindred/domain/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createTestRecommendation,
  createTrainedWorld,
  recommend,
  type TestRecommendation,
  type TrainedWorld,
} from './test-recommendation.ts';

let subgraph: TestRecommendation;
let world: TrainedWorld;
beforeAll(async () => {
  subgraph = await createTestRecommendation();
  world = await createTrainedWorld(subgraph);
  await createTrainedWorld(subgraph);
});
afterAll(() => subgraph[Symbol.asyncDispose]());

function rowOf(globalId: string): number {
  return world.version.artefact.itemIds.findIndex((id) => encodeGlobalId('Item', id as ItemId) === globalId);
}

function rowsOf(externalIds: readonly string[]): number[] {
  return externalIds.map((externalId) => rowOf(world.globalIdOf(externalId)));
}

const SEEN_BY_USER_1 = Array.from({ length: 10 }, (_, item) => `item-${2 * item + 1}`).filter(
  (name) => name !== 'item-1',
);

test.each([
  ['a user', { user: { externalId: 'user-1' } }, SEEN_BY_USER_1],
  ['a session', { user: { sessionItems: ['item-1', 'item-3', 'item-8'] } }, ['item-1', 'item-3', 'item-8']],
])(
  'the contributions of all of the items of %s add up to the score, and the reasons are the largest',
  async (_, input, own) => {
    expect(world.board.withheld.get('user-1')).toBe('item-1');
    const { edges, status } = await recommend(subgraph, world, { ...input, explain: true, first: 100 });
    expect(status).toBe('PERSONALIZED');
    expect(edges.length).toBeGreaterThan(10);
    for (const { node, score, reasons } of edges) {
      const contributions = explainScore(world.version.artefact, rowsOf(own), rowOf(node.id));
      expect(contributions).toHaveLength(own.length);
      expect(contributions.reduce((sum, { amount }) => sum + amount, 0)).toBeCloseTo(score, 5);
      const largest = contributions.filter(({ amount }) => amount > 0).slice(0, 3);
      expect(reasons.map(({ item, contribution }) => [rowOf(item.id), contribution])).toEqual(
        largest.map(({ itemRow, amount }) => [itemRow, amount]),
      );
    }
    expect(edges[0]?.reasons.length).toBeGreaterThan(1);
  },
);

test('reasons are given only on request', async () => {
  const { edges } = await recommend(subgraph, world, { user: { externalId: 'user-1' } });
  expect(edges.flatMap(({ reasons }) => reasons)).toEqual([]);
});

test('popularity has no reasons', async () => {
  const { status, edges } = await recommend(subgraph, world, { user: { externalId: 'nobody' }, explain: true });
  expect(status).toBe('COLD_START');
  expect(edges.flatMap(({ reasons }) => reasons)).toEqual([]);
});

test('only the latest 200 items count, and all are kept out of the answer', async () => {
  const large = await createTrainedWorld(subgraph, { itemCount: 500, userCount: 8 });
  const { edges } = await recommend(subgraph, large, { user: { externalId: 'user-0' }, explain: true, first: 100 });
  const names = new Set(edges.flatMap(({ reasons }) => reasons.map(({ item }) => large.nameOf(item.id))));
  expect(names.size).toBeGreaterThan(0);
  // The checkerboard's views are a minute apart in the order of the items; the first 49 of 249 are too old.
  const oldest = Math.min(...[...names].map((name) => Number(name.replace('item-', ''))));
  expect(oldest).toBeGreaterThanOrEqual(2 * 49);
  const seen = edges.filter(({ node }) => {
    const number = Number(large.nameOf(node.id).replace('item-', ''));
    return number % 2 === 0 && large.nameOf(node.id) !== large.board.withheld.get('user-0');
  });
  expect(seen).toEqual([]);
});
