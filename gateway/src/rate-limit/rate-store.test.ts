import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { testInfrastructure } from '@kindred/testing/infrastructure';
import { afterAll, describe, expect, test } from 'vitest';
import { createLocalRateStore } from './local-rate-store.ts';
import type { Bucket, RateStore } from './rate-store.ts';
import { connectRedis } from './redis-connection.ts';
import { createRedisRateStore } from './redis-rate-store.ts';

const redis = await connectRedis(testInfrastructure().redisUrl);
afterAll(() => redis.disconnect());

const bucket = (pointsPerSecond: number, burst: number): Bucket => ({ key: randomUUID(), pointsPerSecond, burst });
const exactly = (points: number) => ({ need: points, want: points });

function describeRateStore(name: string, store: RateStore): void {
  describe(`buckets in ${name}`, () => {
    test('a full bucket gives its burst at once, and then refuses with the time until there is enough', async () => {
      const buckets = [bucket(1, 10)];
      expect(await store.take(buckets, exactly(4))).toMatchObject({ granted: 4, retryAfterMs: 0 });
      const second = await store.take(buckets, exactly(6));
      expect(second.granted).toBe(6);
      expect(second.remaining).toBeLessThan(1);
      const refused = await store.take(buckets, exactly(3));
      expect(refused.granted).toBe(0);
      expect(refused.retryAfterMs).toBeGreaterThan(2_000);
      expect(refused.retryAfterMs).toBeLessThanOrEqual(3_000);
    });

    test('it fills with time', async () => {
      const buckets = [bucket(200, 10)];
      await store.take(buckets, exactly(10));
      expect((await store.take(buckets, exactly(10))).granted).toBe(0);
      await wait(60);
      expect((await store.take(buckets, exactly(10))).granted).toBe(10);
    });

    test('of several buckets the emptiest decides, and a refusal takes from none', async () => {
      const [own, tenant] = [bucket(1, 5), bucket(1, 100)];
      await store.take([own, tenant], exactly(5));
      expect((await store.take([own, tenant], exactly(1))).granted).toBe(0);
      expect((await store.take([tenant], exactly(95))).granted).toBe(95);
    });

    test('it gives as much of what is wanted as is there, but never less than is needed', async () => {
      const buckets = [bucket(0.001, 10)];
      expect((await store.take(buckets, { need: 2, want: 7 })).granted).toBe(7);
      expect((await store.take(buckets, { need: 2, want: 7 })).granted).toBe(3);
      expect((await store.take(buckets, { need: 2, want: 7 })).granted).toBe(0);
    });

    test('100 at once get no more than there is', async () => {
      const buckets = [bucket(0.001, 40)];
      const taken = await Promise.all(Array.from({ length: 100 }, () => store.take(buckets, exactly(1))));
      expect(taken.filter(({ granted }) => granted === 1)).toHaveLength(40);
    });
  });
}

describeRateStore('Redis', await createRedisRateStore(redis));
describeRateStore('this process', createLocalRateStore());
