import { LruCache } from '@kindred/service/lru-cache';
import type { Bucket, RateStore } from './rate-store.ts';

// Of callers beyond this many, those seen longest ago start with full buckets again.
const CAPACITY = { capacity: 50_000, maxWeight: 50_000 };

/** Buckets of this process alone: each gateway then grants the whole rate. The same algorithm as in Redis. */
export function createLocalRateStore(now: () => number = () => performance.now()): RateStore {
  const fullAt = new LruCache<number>(CAPACITY);
  return {
    take: async (buckets, { need, want }) => {
      const at = now();
      const leftOf = ({ key, pointsPerSecond, burst }: Bucket) =>
        burst - (Math.max(0, (fullAt.get(key) ?? 0) - at) * pointsPerSecond) / 1000;
      const remaining = Math.min(...buckets.map(leftOf));
      const waits = buckets.map((bucket) => ((need - leftOf(bucket)) * 1000) / bucket.pointsPerSecond);
      const retryAfterMs = Math.max(0, ...waits);
      if (retryAfterMs > 0) return { granted: 0, remaining, retryAfterMs };
      const granted = Math.min(want, Math.max(need, Math.floor(remaining)));
      for (const { key, pointsPerSecond } of buckets) {
        fullAt.set(key, Math.max(at, fullAt.get(key) ?? 0) + (granted * 1000) / pointsPerSecond, 1);
      }
      return { granted, remaining: remaining - granted, retryAfterMs: 0 };
    },
  };
}
