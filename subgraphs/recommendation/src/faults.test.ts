import { encodeGlobalId } from '@kindred/domain/ids';
import { INTERNAL_TOKEN_HEADER, signInternalToken } from '@kindred/service/internal-token';
import { TIMEOUT_HEADER } from '@kindred/service/request-deadline';
import { openCuttableRedis } from '@kindred/testing/cuttable-redis';
import { type SubgraphClient, TEST_SERVER_ENV } from '@kindred/testing/subgraph-client';
import { expect, test } from 'vitest';
import {
  createTestRecommendation,
  createTrainedWorld,
  namesOf,
  recommend,
  startReplica,
  type TestRecommendation,
  type World,
} from './test-recommendation.ts';
import { promote, trainTestVersion } from './test-version.ts';

function servingId(subgraph: SubgraphClient, world: World): Promise<string | undefined> {
  return recommend(subgraph, world, {}).then(({ modelVersion }) => modelVersion?.id);
}

async function askUntil(
  deadline: string,
  subgraph: TestRecommendation,
  { viewer }: World,
): Promise<string | undefined> {
  const body = JSON.stringify({ query: '{ recommend(input: {}) { status } }' });
  const secret = TEST_SERVER_ENV.internalTokenSecret;
  const token = signInternalToken(secret, { audience: 'recommendation', viewer, body });
  const headers = { [INTERNAL_TOKEN_HEADER]: token, [TIMEOUT_HEADER]: deadline };
  const response = await fetch(`${subgraph.url}/graphql`, { method: 'POST', headers, body });
  const answer = (await response.json()) as { errors?: { extensions: { code: string } }[] };
  return answer.errors?.[0]?.extensions.code;
}

test('when Redis goes away answers go on, clicks still count at once, and when it comes back so do answers from memory', async () => {
  await using redis = await openCuttableRedis();
  await using subgraph = await createTestRecommendation({ redisUrl: redis.url });
  const [world, other] = [await createTrainedWorld(subgraph), await createTrainedWorld(subgraph)];
  const ask = () => recommend(subgraph, world, { user: { externalId: 'user-1' }, first: 3 });
  await expect.poll(async () => (await ask()).timing.cached, { timeout: 10_000 }).toBe(true);
  redis.cut();
  const [first = ''] = namesOf(world, await ask());
  await world.view('user-1', first);
  const after = await ask();
  expect([after.status, after.timing.cached]).toEqual(['PERSONALIZED', false]);
  expect(namesOf(world, after)).not.toContain(first);
  const again = await ask();
  expect(again.timing.cached).toBe(true);
  expect(namesOf(world, again)).toEqual(namesOf(world, after));
  await redis.mend();
  await expect.poll(async () => (await ask()).timing.cached, { timeout: 10_000 }).toBe(true);
  expect(namesOf(world, await ask())).not.toContain(first);
  expect((await recommend(subgraph, other, { user: { externalId: 'user-1' }, first: 3 })).status).toBe('PERSONALIZED');
});

test('answers from memory stay in memory when Redis goes away, and those that are made without it when it comes back', async () => {
  await using redis = await openCuttableRedis();
  await using subgraph = await createTestRecommendation({ redisUrl: redis.url });
  const [world, other] = [await createTrainedWorld(subgraph), await createTrainedWorld(subgraph)];
  const ask = (asker: World, externalId: string) => recommend(subgraph, asker, { user: { externalId }, first: 3 });
  const kept = async (asker: World, externalId: string) => (await ask(asker, externalId)).timing.cached;
  for (const asker of [world, other]) await expect.poll(() => kept(asker, 'user-1'), { timeout: 10_000 }).toBe(true);
  redis.cut();
  expect(await kept(world, 'user-1')).toBe(true);
  const [clicked = ''] = namesOf(world, await ask(world, 'user-1'));
  await world.view('user-1', clicked);
  expect(await kept(world, 'user-1')).toBe(false);
  expect(await kept(other, 'user-1')).toBe(true);
  await ask(world, 'user-3');
  await redis.mend();
  const asked = { tenantId: world.tenantId, userExternalId: 'user-1' };
  await expect.poll(() => subgraph.histories.read(asked), { timeout: 10_000 }).not.toBeNull();
  expect(await kept(world, 'user-1')).toBe(true);
  expect(await kept(world, 'user-3')).toBe(true);
  expect(namesOf(world, await ask(world, 'user-1'))).not.toContain(clicked);
});

test('while the database is away everybody is answered: whom Redis knows as before, others with what is popular', async () => {
  await using subgraph = await createTestRecommendation();
  const [world, other] = [await createTrainedWorld(subgraph), await createTrainedWorld(subgraph)];
  const ask = (asker: World, externalId: string) => recommend(subgraph, asker, { user: { externalId }, first: 3 });
  const before = await ask(world, 'user-1');
  await ask(other, 'user-1');
  await subgraph.database.close();
  expect(namesOf(world, await ask(world, 'user-1'))).toEqual(namesOf(world, before));
  const unknown = await Promise.all(
    [world, other, world].map(async (asker) => ({ asker, answer: await ask(asker, 'user-2') })),
  );
  for (const { asker, answer } of unknown) {
    expect(answer.status).toBe('COLD_START');
    expect(namesOf(asker, answer)).toHaveLength(3);
    expect(namesOf(asker, answer).join()).not.toContain('foreign');
  }
  const told = subgraph.logged.filter(({ msg }) => msg.startsWith('Histories cannot be read now'));
  expect(told).toHaveLength(1);
  await subgraph.database.open();
  await expect.poll(async () => (await ask(world, 'user-2')).status, { timeout: 10_000 }).toBe('PERSONALIZED');
});

test('while Redis is away a promotion is in effect within two seconds, though nobody asks meanwhile', async () => {
  await using subgraph = await createTestRecommendation({ redisUrl: 'redis://127.0.0.1:1' });
  const [world, other] = [await createTrainedWorld(subgraph), await createTrainedWorld(subgraph)];
  expect(await servingId(subgraph, world)).toBe(encodeGlobalId('ModelVersion', world.version.id));
  await servingId(subgraph, other);
  const next = await trainTestVersion(subgraph, world.tenantId);
  await promote(subgraph.db, world.tenantId, next.id);
  const loaded = () =>
    subgraph.logged.some(({ msg, versionId }) => msg === 'A version is loaded' && versionId === next.id);
  await expect.poll(loaded, { timeout: 2_000 }).toBe(true);
  expect(await servingId(subgraph, world)).toBe(encodeGlobalId('ModelVersion', next.id));
  expect(await servingId(subgraph, other)).toBe(encodeGlobalId('ModelVersion', other.version.id));
});

test('promotions and the ways back fail no request, and every answer is of one of the versions', async () => {
  await using subgraph = await createTestRecommendation();
  const [world, other] = [await createTrainedWorld(subgraph), await createTrainedWorld(subgraph)];
  await servingId(subgraph, world);
  const next = await trainTestVersion(subgraph, world.tenantId);
  const served: (string | undefined)[] = [];
  const state = { isOver: false };
  const crowd = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (!state.isOver) {
        served.push(await servingId(subgraph, world));
        expect(await servingId(subgraph, other)).toBe(encodeGlobalId('ModelVersion', other.version.id));
      }
    }),
  );
  for (const version of [next.id, world.version.id, next.id]) {
    await promote(subgraph.db, world.tenantId, version);
    await subgraph.announcePromotion(world.tenantId);
    const wanted = encodeGlobalId('ModelVersion', version);
    await expect.poll(() => servingId(subgraph, world), { timeout: 2_000 }).toBe(wanted);
  }
  state.isOver = true;
  await crowd;
  const known = [world.version.id, next.id].map((id) => encodeGlobalId('ModelVersion', id));
  expect(new Set(served)).toEqual(new Set(known));
});

test('every replica follows a promotion and the way back within two seconds', async () => {
  await using subgraph = await createTestRecommendation();
  await using replica = await startReplica(subgraph);
  const [world, other] = [await createTrainedWorld(subgraph), await createTrainedWorld(subgraph)];
  const next = await trainTestVersion(subgraph, world.tenantId);
  const replicas = [subgraph, replica];
  for (const tenant of [world, other]) await Promise.all(replicas.map((each) => servingId(each, tenant)));
  for (const version of [next.id, world.version.id]) {
    await promote(subgraph.db, world.tenantId, version);
    await subgraph.announcePromotion(world.tenantId);
    const wanted = encodeGlobalId('ModelVersion', version);
    await Promise.all(
      replicas.map((each) => expect.poll(() => servingId(each, world), { timeout: 2_000 }).toBe(wanted)),
    );
  }
  const theirs = encodeGlobalId('ModelVersion', other.version.id);
  expect(await Promise.all(replicas.map((each) => servingId(each, other)))).toEqual([theirs, theirs]);
});

test('a crowd beyond the bound is refused as one to ask again, counted, and leaves what is under way alone', async () => {
  await using subgraph = await createTestRecommendation({ mostQuestions: 2 });
  const [world, other] = [await createTrainedWorld(subgraph), await createTrainedWorld(subgraph)];
  await servingId(subgraph, world);
  await servingId(subgraph, other);
  const ask = async (): Promise<string> => {
    const { errors } = await subgraph.ask(
      world.viewer,
      '{ recommend(input: { user: { externalId: "user-1" } }) { status } }',
    );
    return errors?.[0]?.extensions.code ?? 'answered';
  };
  const answers = await Promise.all([...Array.from({ length: 40 }, ask), servingId(subgraph, other)]);
  expect(new Set(answers.slice(0, 40))).toEqual(new Set(['answered', 'RATE_LIMITED']));
  // One place is the crowd's; the other is left for other tenants.
  expect(answers.at(-1)).toBe(encodeGlobalId('ModelVersion', other.version.id));
  const metrics = await (await fetch(`${subgraph.url}/metrics`)).text();
  expect(metrics).toMatch(/kindred_recommendations_refused_total\{reason="queue"[^}]*\} [1-9]/);
  expect(await ask()).toBe('answered');
});

test('a question whose time is over is not answered', async () => {
  await using subgraph = await createTestRecommendation();
  const world = await createTrainedWorld(subgraph);
  expect(await askUntil('0', subgraph, world)).toBe('TIMEOUT');
  expect(await askUntil('5000', subgraph, world)).toBeUndefined();
  expect(await askUntil('soon', subgraph, world)).toBeUndefined();
});
