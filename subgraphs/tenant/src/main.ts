import { connectDb } from '@kindred/db/client';
import { createLogger } from '@kindred/service/logger';
import { runMain } from '@kindred/service/run-main';
import { env } from './env.ts';
import { startTenant } from './start-tenant.ts';

const logger = createLogger('tenant', env.logLevel);

await runMain({
  logger,
  start: async () => {
    const db = await connectDb({ url: env.databaseUrl, applicationName: 'tenant' });
    const server = await startTenant({ db, logger, env: env.server, secrets: env.secrets });
    return {
      drain: async () => {
        await server.drain();
        await db[Symbol.asyncDispose]();
      },
    };
  },
});
