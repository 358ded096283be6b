import { upsertItems } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { newId } from '@kindred/domain/ids';
import { expect, test } from 'vitest';
import { historyOf } from './history.ts';
import { ResultCache, type ResultKey } from './result-cache.ts';
import {
  type Answer,
  createTestRecommendation,
  createTrainedWorld,
  namesOf,
  recommend,
  serveNewVersion,
  type TestRecommendation,
} from './test-recommendation.ts';

const INPUT = { user: { externalId: 'user-1' }, first: 3 };

function itemsOf({ edges }: Answer): string[] {
  return edges.map(({ node }) => node.id);
}

/** Redis has to say that it is there before anything is kept. */
async function untilKept(subgraph: TestRecommendation, world: Parameters<typeof recommend>[1]): Promise<void> {
  await expect
    .poll(async () => (await recommend(subgraph, world, INPUT)).timing.cached, { timeout: 10_000 })
    .toBe(true);
}

test('the same question of the same user comes from memory, with an id of its own', async () => {
  await using subgraph = await createTestRecommendation();
  const world = await createTrainedWorld(subgraph);
  const first = await recommend(subgraph, world, INPUT);
  await untilKept(subgraph, world);
  const second = await recommend(subgraph, world, INPUT);
  expect(second.timing).toMatchObject({ cached: true, searchMs: 0 });
  expect(itemsOf(second)).toEqual(itemsOf(first));
  expect(second.recommendationId).not.toBe(first.recommendationId);
  for (const other of [
    { ...INPUT, excludeItems: ['item-1'] },
    { ...INPUT, explain: true },
    { user: { externalId: 'user-3' } },
  ]) {
    expect((await recommend(subgraph, world, other)).timing.cached).toBe(false);
  }
});

test('a click of the user, and of no other, makes the answer anew', async () => {
  await using subgraph = await createTestRecommendation();
  const world = await createTrainedWorld(subgraph);
  await untilKept(subgraph, world);
  await world.view('user-3', 'item-2');
  expect((await recommend(subgraph, world, INPUT)).timing.cached).toBe(true);
  const [clicked = ''] = namesOf(world, await recommend(subgraph, world, INPUT));
  await world.view('user-1', clicked);
  const after = await recommend(subgraph, world, INPUT);
  expect(after.timing.cached).toBe(false);
  expect(namesOf(world, after)).not.toContain(clicked);
});

test('a promotion makes answers anew, and going back finds those from before', async () => {
  await using subgraph = await createTestRecommendation();
  const world = await createTrainedWorld(subgraph);
  await untilKept(subgraph, world);
  const version = await serveNewVersion(subgraph, world);
  const after = await recommend(subgraph, world, INPUT);
  expect([after.timing.cached, after.modelVersion?.id.length]).toEqual([false, expect.any(Number)]);
  expect(version.id).not.toBe(world.version.id);
});

test('a filtered answer is made anew when an item has changed', async () => {
  await using subgraph = await createTestRecommendation();
  const world = await createTrainedWorld(subgraph);
  const input = { ...INPUT, where: { property: { name: 'number', gte: 0 } } };
  await untilKept(subgraph, world);
  await recommend(subgraph, world, input);
  expect((await recommend(subgraph, world, input)).timing.cached).toBe(true);
  const [first = ''] = namesOf(world, await recommend(subgraph, world, input));
  const changed = { externalId: first, title: 'Changed', categories: [], properties: { number: -1 } };
  await withTenant(subgraph.db, world.tenantId, (tx) => upsertItems(tx, [changed]));
  subgraph.passTime(5_000);
  await expect.poll(async () => namesOf(world, await recommend(subgraph, world, input))).not.toContain(first);
});

test('what is kept of one tenant is not found for another that asks the same', () => {
  const results = new ResultCache({ maxBytes: 1_000_000 });
  const ours: ResultKey = {
    tenantId: newId('Tenant'),
    versionId: newId('ModelVersion'),
    state: 'token',
    catalogueRevision: 0,
    question: 'question',
    depth: 32,
  };
  results.set(ours, { tenantId: ours.tenantId, ranked: [], taste: null });
  expect(results.get(ours)).not.toBeNull();
  expect(results.get({ ...ours, tenantId: newId('Tenant') })).toBeNull();
  expect([results.hitCount, results.missCount]).toEqual([1, 1]);
});

test('what was ranked for a user is found and forgotten by the user, with Redis or without, and nothing else', () => {
  const results = new ResultCache({ maxBytes: 1_000_000 });
  const [tenantId, otherTenantId, versionId] = [newId('Tenant'), newId('Tenant'), newId('ModelVersion')];
  const [userId, otherUserId] = [newId('User'), newId('User')];
  const keyOf = (tenant: typeof tenantId, user: typeof userId, token: string | null): ResultKey => {
    const events = [{ itemId: token ?? 'item', occurredAt: 1, recordedAt: 2 }];
    const { state } = historyOf({ token, userId: user, events });
    return { tenantId: tenant, versionId, state: state ?? '', catalogueRevision: 0, question: 'question', depth: 32 };
  };
  const own = [keyOf(tenantId, userId, 'token'), keyOf(tenantId, userId, null)];
  const others = [keyOf(tenantId, otherUserId, null), keyOf(otherTenantId, userId, null)];
  for (const key of [...own, ...others]) results.set(key, { tenantId: key.tenantId, ranked: [], taste: null });
  const names = results.namesOf(tenantId, userId);
  expect(names).toHaveLength(2);
  results.forget(names);
  expect(own.map((key) => results.get(key))).toEqual([null, null]);
  for (const key of others) expect(results.get(key)).not.toBeNull();
});

test('with 0 bytes nothing is kept', async () => {
  await using subgraph = await createTestRecommendation({ resultCacheBytes: 0 });
  const world = await createTrainedWorld(subgraph);
  await recommend(subgraph, world, INPUT);
  await recommend(subgraph, world, INPUT);
  expect((await recommend(subgraph, world, INPUT)).timing.cached).toBe(false);
});
