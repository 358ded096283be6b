import { connectDb } from '@kindred/db/client';
import { createLogger } from '@kindred/service/logger';
import { runMain } from '@kindred/service/run-main';
import { env } from './env.ts';
import { startCatalog } from './start-catalog.ts';

const logger = createLogger('catalog', env.logLevel);

await runMain({
  logger,
  start: async () => {
    const db = await connectDb({ url: env.databaseUrl, applicationName: 'catalog' });
    const server = await startCatalog({ db, logger, env: env.server });
    return {
      drain: async () => {
        await server.drain();
        await db[Symbol.asyncDispose]();
      },
    };
  },
});
