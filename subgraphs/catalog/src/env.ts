import { parseEnv, SECRET, SERVER_ENV } from '@kindred/service/env';
import { z } from 'zod';

/** The configuration of the catalog subgraph; main.ts alone reads it. */
export const env = parseEnv(
  z
    .object({
      ...SERVER_ENV,
      DATABASE_URL: z.url(),
      REDIS_URL: z.url(),
      ITEM_CACHE_BYTES: z.coerce
        .number()
        .int()
        .min(0)
        .default(64 * 2 ** 20),
      INTERNAL_TOKEN_SECRET: SECRET,
    })
    .transform((source) => ({
      logLevel: source.LOG_LEVEL,
      databaseUrl: source.DATABASE_URL,
      redisUrl: source.REDIS_URL,
      itemCacheBytes: source.ITEM_CACHE_BYTES,
      server: { host: source.HOST, port: source.PORT, internalTokenSecret: source.INTERNAL_TOKEN_SECRET },
    })),
  process.env,
);
