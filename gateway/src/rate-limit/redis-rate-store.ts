import type { Redis } from 'ioredis';
import type { RateStore } from './rate-store.ts';

/**
 * The generic cell rate algorithm (ITU-T I.371) for several buckets at once, all or none: each key holds the time at
 * which its bucket will be full again. Times are Redis's own, in milliseconds.
 */
const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local need, want = tonumber(ARGV[1]), tonumber(ARGV[2])
local free, wait = math.huge, 0
for i, key in ipairs(KEYS) do
  local perPoint, burst = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  local fullAt = math.max(now, tonumber(redis.call('GET', key) or 0))
  local left = burst - (fullAt - now) / perPoint
  free = math.min(free, left)
  if left < need then wait = math.max(wait, (need - left) * perPoint) end
end
if wait > 0 then return { '0', tostring(free), tostring(wait) } end
local granted = math.min(want, math.max(need, math.floor(free)))
for i, key in ipairs(KEYS) do
  local perPoint = tonumber(ARGV[2 * i + 1])
  local fullAt = math.max(now, tonumber(redis.call('GET', key) or 0)) + granted * perPoint
  redis.call('SET', key, string.format('%.3f', fullAt), 'PX', math.max(1, math.ceil(fullAt - now)))
end
return { tostring(granted), tostring(free - granted), '0' }
`;

const WARM_UP = { key: 'warm-up', pointsPerSecond: 1, burst: 1 };

type Command = (keyCount: number, ...keysAndArguments: (string | number)[]) => Promise<[string, string, string]>;

/** Buckets that all gateways share; one round trip for all of a request's. */
export async function createRedisRateStore(redis: Redis): Promise<RateStore> {
  redis.defineCommand('takeRatePoints', { lua: SCRIPT });
  const run = (redis as Redis & { takeRatePoints: Command }).takeRatePoints.bind(redis);
  const store: RateStore = {
    take: async (buckets, { need, want }) => {
      const keys = buckets.map(({ key }) => `rate:${key}`);
      const rates = buckets.flatMap(({ pointsPerSecond, burst }) => [1000 / pointsPerSecond, burst]);
      const [granted, remaining, retryAfterMs] = await run(keys.length, ...keys, need, want, ...rates);
      return { granted: Number(granted), remaining: Number(remaining), retryAfterMs: Number(retryAfterMs) };
    },
  };
  // A Redis in JavaScript takes its time over its first script; whether it answers at all is told when it must.
  await store.take([WARM_UP], { need: 0, want: 0 }).catch(() => undefined);
  return store;
}
