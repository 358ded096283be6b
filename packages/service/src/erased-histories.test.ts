import { randomUUID } from 'node:crypto';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countHistoriesOf, deleteHistoryKeys, readHistoryKeys } from './erased-histories.ts';
import { connectRedis, type Redis } from './redis.ts';
import { connectUserHistories, type UserHistories } from './user-histories.ts';

let redis: Redis;
let histories: UserHistories;

beforeAll(() => {
  redis = connectRedis(testInfrastructure().redisUrl);
  histories = connectUserHistories(testInfrastructure().redisUrl);
});

afterAll(() => {
  histories.close();
  redis.disconnect();
});

async function keep(tenantId: string, userExternalId: string): Promise<string> {
  const userId = randomUUID();
  const key = { tenantId, userExternalId };
  await expect.poll(() => histories.read(key), { timeout: 20_000 }).not.toBeNull();
  const stored = await histories.read(key);
  const events = [{ itemId: randomUUID(), occurredAt: 1, recordedAt: 2 }];
  await histories.store(key, { token: stored?.token ?? '', userId, events });
  return userId;
}

test.each(['plain', 'a*', 'what?', '[x]', String.raw`back\slash`, '}{:', 'ü'])(
  'the history of the user "%s" goes from Redis, and no other',
  async (userExternalId) => {
    const [ours, theirs] = [randomUUID(), randomUUID()];
    const userId = await keep(ours, userExternalId);
    const beside = await keep(ours, `${userExternalId}2`);
    const foreign = await keep(theirs, userExternalId);
    const old = `kindred:history:anotherrun:{${ours}:${userExternalId}}:list`;
    await redis.rpush(old, '-');
    const found = await readHistoryKeys(redis, { tenantId: ours, userExternalId });
    expect(new Set(found.map(({ key }) => key.split(':').at(-1)))).toEqual(new Set(['list', 'token']));
    expect(await countHistoriesOf(redis, { tenantId: ours, userId })).toBe(1);

    expect(await deleteHistoryKeys(redis, { tenantId: ours, userExternalId })).toHaveLength(3);
    expect(await readHistoryKeys(redis, { tenantId: ours, userExternalId })).toEqual([]);
    expect(await countHistoriesOf(redis, { tenantId: ours, userId })).toBe(0);
    expect(await countHistoriesOf(redis, { tenantId: ours, userId: beside })).toBe(1);
    expect(await countHistoriesOf(redis, { tenantId: theirs, userId: foreign })).toBe(1);
  },
);
