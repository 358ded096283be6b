import { OBJECT_STORE_ENV, objectStoreOf, parseEnv, SECRET, SERVER_ENV } from '@kindred/service/env';
import { z } from 'zod';

/** The configuration of the catalog subgraph; main.ts alone reads it. */
export const env = parseEnv(
  z
    .object({
      ...SERVER_ENV,
      ...OBJECT_STORE_ENV,
      DATABASE_URL: z.url(),
      REDIS_URL: z.url(),
      TEMPORAL_ADDRESS: z.string().min(1),
      TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
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
      temporal: { address: source.TEMPORAL_ADDRESS, namespace: source.TEMPORAL_NAMESPACE },
      objectStore: objectStoreOf(source),
      itemCacheBytes: source.ITEM_CACHE_BYTES,
      server: { host: source.HOST, port: source.PORT, internalTokenSecret: source.INTERNAL_TOKEN_SECRET },
    })),
  process.env,
);
