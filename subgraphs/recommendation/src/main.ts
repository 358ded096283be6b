import { connectDb } from '@kindred/db/client';
import { connectEventBus } from '@kindred/service/event-bus';
import { createLogger } from '@kindred/service/logger';
import { openObjectStore } from '@kindred/service/object-store';
import { runMain } from '@kindred/service/run-main';
import { connectUserHistories } from '@kindred/service/user-histories';
import { env } from './env.ts';
import { startRecommendation } from './start-recommendation.ts';

const logger = createLogger('recommendation', env.logLevel);

await runMain({
  logger,
  start: async () => {
    const db = await connectDb({ url: env.databaseUrl, applicationName: 'recommendation' });
    const events = connectEventBus(env.redisUrl);
    const objects = openObjectStore(env.objectStore);
    const histories = connectUserHistories(env.redisUrl);
    const { mostBytes, resultCacheBytes, mostSearchesAtOnce, mostQuestions } = env;
    const bounds = { mostBytes, resultCacheBytes, mostSearchesAtOnce, mostQuestions };
    const server = await startRecommendation({ ...bounds, db, events, histories, objects, logger, env: env.server });
    return {
      drain: async () => {
        await server.drain();
        await events.close();
        histories.close();
        await db[Symbol.asyncDispose]();
      },
    };
  },
});
