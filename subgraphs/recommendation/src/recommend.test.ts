import { encodeGlobalId } from '@kindred/domain/ids';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createTestRecommendation,
  createTrainedWorld,
  namesOf,
  recommend,
  type TestRecommendation,
  type TrainedWorld,
} from './test-recommendation.ts';

let subgraph: TestRecommendation;
let world: TrainedWorld;
beforeAll(async () => {
  subgraph = await createTestRecommendation();
  world = await createTrainedWorld(subgraph);
});
afterAll(() => subgraph[Symbol.asyncDispose]());

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
