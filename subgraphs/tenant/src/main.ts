import { connectDb } from '@kindred/db/client';
import { createLogger } from '@kindred/service/logger';
import { openObjectStore } from '@kindred/service/object-store';
import { connectRedis } from '@kindred/service/redis';
import { runMain } from '@kindred/service/run-main';
import { env } from './env.ts';
import { connectPrivacyWorkflows } from './privacy-workflows.ts';
import { startTenant } from './start-tenant.ts';

const logger = createLogger('tenant', env.logLevel);

await runMain({
  logger,
  start: async () => {
    const db = await connectDb({ url: env.databaseUrl, applicationName: 'tenant' });
    const redis = connectRedis(env.redisUrl);
    const privacy = connectPrivacyWorkflows(env.temporal);
    const objects = openObjectStore(env.objectStore);
    const { server: serverEnv, secrets, prices } = env;
    const server = await startTenant({ db, redis, privacy, objects, logger, env: serverEnv, secrets, prices });
    return {
      drain: async () => {
        await server.drain();
        await privacy.close();
        redis.disconnect();
        await db[Symbol.asyncDispose]();
      },
    };
  },
});
