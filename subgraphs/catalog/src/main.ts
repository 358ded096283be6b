import { connectDb } from '@kindred/db/client';
import { connectEventBus } from '@kindred/service/event-bus';
import { createLogger } from '@kindred/service/logger';
import { runMain } from '@kindred/service/run-main';
import { connectUserHistories } from '@kindred/service/user-histories';
import { env } from './env.ts';
import { startCatalog } from './start-catalog.ts';

const logger = createLogger('catalog', env.logLevel);

await runMain({
  logger,
  start: async () => {
    const db = await connectDb({ url: env.databaseUrl, applicationName: 'catalog' });
    const events = connectEventBus(env.redisUrl);
    const histories = connectUserHistories(env.redisUrl);
    const { itemCacheBytes } = env;
    const server = await startCatalog({ db, events, histories, logger, env: env.server, itemCacheBytes });
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
