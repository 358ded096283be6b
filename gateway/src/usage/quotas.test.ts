import { setTimeout as wait } from 'node:timers/promises';
import { newId } from '@kindred/domain/ids';
import { PLANS } from '@kindred/domain/plans';
import { createLogger } from '@kindred/service/logger';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { afterAll, expect, test } from 'vitest';
import { connectRedis } from '../rate-limit/redis-connection.ts';
import { type Amount, createRedisQuotaStore, type QuotaStore } from './quota-store.ts';
import { createQuotas, QuotaExceededError } from './quotas.ts';

const redis = await connectRedis(testInfrastructure().redisUrl);
afterAll(() => redis.disconnect());
const store = createRedisQuotaStore(redis);
const logger = createLogger('test', 'silent');
const MONTH = '2026-11';
const now = () => Date.UTC(2026, 10, 26);
const ONE: Amount = { requests: 1, points: 10 };

/** A tenant on FREE that has this many requests left, before two gateways. */
function createWorld({ left, over = store }: { left: number; over?: QuotaStore }) {
  const tenantId = newId('Tenant');
  const spent = { requests: PLANS.FREE.requestsPerMonth - left, points: 0 };
  const seed = () => store.raise({ tenantId, month: MONTH }, spent);
  const gateways = [0, 1].map(() => createQuotas({ store: over, seed, logger, now }));
  const ask = async (gateway: number) => {
    await gateways[gateway]?.take(tenantId, 'FREE', ONE);
  };
  return { tenantId, gateways, ask, seed };
}

async function outcomes(asked: readonly Promise<void>[]) {
  const settled = await Promise.allSettled(asked);
  const refused = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  for (const reason of refused) expect(reason).toBeInstanceOf(QuotaExceededError);
  return { granted: settled.length - refused.length, refused: refused.length };
}

test('of 100 requests at once, over two gateways, exactly as many pass as the month has left', async () => {
  const { ask } = createWorld({ left: 37 });
  const asked = Array.from({ length: 100 }, (_, count) => ask(count % 2));
  expect(await outcomes(asked)).toEqual({ granted: 37, refused: 63 });
});

test('a busy tenant takes in advance, and gets no request more for it', async () => {
  let calls = 0;
  const counted: QuotaStore = {
    ...store,
    take: async (...given) => {
      calls += 1;
      return await store.take(...given);
    },
  };
  let at = now();
  const tenantId = newId('Tenant');
  const spent = { requests: PLANS.FREE.requestsPerMonth - 3_000, points: 0 };
  const seed = () => store.raise({ tenantId, month: MONTH }, spent);
  const quotas = createQuotas({ store: counted, seed, logger, now: () => at });
  let granted = 0;
  for (let request = 0; request < 4_000; request++) {
    await quotas.take(tenantId, 'FREE', ONE)?.catch(() => (granted -= 1));
    granted += 1;
    at += 2;
  }
  expect(granted).toBe(3_000);
  expect(calls).toBeLessThan(2_600);
});

test('what was taken and not spent is there for the other gateway', async () => {
  const { tenantId, gateways, ask } = createWorld({ left: 2 });
  await ask(0);
  await ask(0);
  await expect(ask(1)).rejects.toThrow(QuotaExceededError);
  gateways[0]?.giveBack(tenantId, ONE);
  await gateways[0]?.release(true);
  await ask(1);
  await expect(ask(1)).rejects.toThrow('The plan FREE allows 100,000 requests a month: 0 are left, and 1 were wanted.');
});

test('a Redis that lost everything is told what the ledger says, and never less than it knows', async () => {
  const { tenantId, ask, seed } = createWorld({ left: 5 });
  await ask(0);
  await redis.del(`quota:${tenantId}:${MONTH}`);
  expect(await outcomes(Array.from({ length: 10 }, () => ask(0)))).toEqual({ granted: 5, refused: 5 });
  await seed();
  await expect(ask(0)).rejects.toThrow(QuotaExceededError);
});

test('one tenant’s month does not move another’s', async () => {
  const [ours, theirs] = [createWorld({ left: 1 }), createWorld({ left: 1 })];
  await ours.ask(0);
  await expect(ours.ask(0)).rejects.toThrow(QuotaExceededError);
  await theirs.ask(0);
});

test('without a store requests pass, and it is not asked again at once', async () => {
  let calls = 0;
  const gone = async () => {
    calls += 1;
    await wait(0);
    throw new Error('gone');
  };
  const { ask } = createWorld({ left: 0, over: { take: gone, giveBack: gone, raise: gone } });
  for (let request = 0; request < 5; request++) await ask(0);
  expect(calls).toBe(1);
});
