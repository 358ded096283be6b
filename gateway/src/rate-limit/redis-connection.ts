import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';

// Longer than a round trip takes on a busy machine; after one that took longer, Redis is left alone for a while.
const COMMAND_TIMEOUT_MS = 500;

/** How long a start waits for Redis; without it, what needs it is refused at first. */
const FIRST_CONNECT_MS = 1_000;

/** A connection for what can be done without: commands fail at once while it is lost, and soon when Redis hangs. */
export async function connectRedis(redisUrl: string): Promise<Redis> {
  const redis = new Redis(redisUrl, {
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    // In a pipeline that a lost connection cuts short, ioredis 5.11 looks for answers that never came, and throws.
    autoPipeliningIgnoredCommands: ['get', 'set'],
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  });
  // Commands reject with their own error; without a listener ioredis prints every attempt.
  redis.on('error', () => undefined);
  const ready = new Promise<void>((resolve) => void redis.once('ready', resolve));
  const patience = new AbortController();
  const late = wait(FIRST_CONNECT_MS, undefined, { signal: patience.signal }).catch(() => undefined);
  await Promise.race([ready, late]);
  patience.abort();
  return redis;
}
