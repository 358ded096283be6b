import { OBJECT_STORE_ENV, parseEnv, SECRET, SERVER_ENV } from '@kindred/service/env';
import { z } from 'zod';

/** The configuration of the recommendation subgraph; main.ts alone reads it. */
export const env = parseEnv(
  z
    .object({
      ...SERVER_ENV,
      ...OBJECT_STORE_ENV,
      DATABASE_URL: z.url(),
      REDIS_URL: z.url(),
      INTERNAL_TOKEN_SECRET: SECRET,
    })
    .transform((source) => ({
      logLevel: source.LOG_LEVEL,
      databaseUrl: source.DATABASE_URL,
      redisUrl: source.REDIS_URL,
      server: { host: source.HOST, port: source.PORT, internalTokenSecret: source.INTERNAL_TOKEN_SECRET },
      objectStore: {
        url: source.OBJECT_STORE_URL,
        cacheDir: source.CACHE_DIR,
        s3: {
          endpoint: source.S3_ENDPOINT,
          region: source.S3_REGION,
          accessKeyId: source.S3_ACCESS_KEY_ID,
          secretAccessKey: source.S3_SECRET_ACCESS_KEY,
        },
      },
    })),
  process.env,
);
