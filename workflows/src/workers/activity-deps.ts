import { connectDb } from '@kindred/db/client';
import { connectEventBus } from '@kindred/service/event-bus';
import type { Readiness } from '@kindred/service/health';
import type { Logger } from '@kindred/service/logger';
import { openObjectStore } from '@kindred/service/object-store';
import { connectRedis } from '@kindred/service/redis';
import { connectUserHistories } from '@kindred/service/user-histories';
import type { ActivityDeps } from '../activities/create-activities.ts';
import { env } from '../env.ts';

/** What activities work with, open until `close`. */
export async function openActivityDeps(
  logger: Logger,
): Promise<{ deps: ActivityDeps; readiness: Readiness; close: () => Promise<void> }> {
  const db = await connectDb({ url: env.databaseUrl, applicationName: 'kindred-worker' });
  const events = connectEventBus(env.redisUrl);
  const redis = connectRedis(env.redisUrl);
  const histories = connectUserHistories(env.redisUrl);
  const objects = openObjectStore(env.objectStore);
  return {
    deps: { db, events, histories, objects, redis, logger },
    readiness: { postgres: () => db.ping(), redis: () => events.ping(), objectStore: () => objects.ping() },
    async close() {
      await events.close();
      histories.close();
      redis.disconnect();
      await db[Symbol.asyncDispose]();
    },
  };
}
