import { Redis } from 'ioredis';

export type { Redis } from 'ioredis';

const COMMAND_TIMEOUT_MS = 2_000;

/** A connection to Redis whose commands reject within two seconds when there is no answer; the caller disconnects it. */
export function connectRedis(redisUrl: string): Redis {
  const redis = new Redis(redisUrl, {
    // After a break every reader is told, and subscribes anew.
    autoResubscribe: false,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  });
  // Commands reject with their own error; without a listener ioredis prints every attempt.
  redis.on('error', () => undefined);
  return redis;
}
