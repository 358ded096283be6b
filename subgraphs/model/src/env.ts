import { OBJECT_STORE_ENV, parseEnv, SECRET, SERVER_ENV } from '@kindred/service/env';
import { z } from 'zod';

/** The configuration of the model subgraph; main.ts alone reads it. */
export const env = parseEnv(
  z
    .object({
      ...SERVER_ENV,
      ...OBJECT_STORE_ENV,
      DATABASE_URL: z.url(),
      REDIS_URL: z.url(),
      INTERNAL_TOKEN_SECRET: SECRET,
      TEMPORAL_ADDRESS: z.string().min(1),
      TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
      TEMPORAL_UI_URL: z.url().optional(),
    })
    .transform((source) => ({
      logLevel: source.LOG_LEVEL,
      databaseUrl: source.DATABASE_URL,
      redisUrl: source.REDIS_URL,
      temporal: {
        address: source.TEMPORAL_ADDRESS,
        namespace: source.TEMPORAL_NAMESPACE,
        uiUrl: source.TEMPORAL_UI_URL?.replace(/\/$/, '') ?? null,
      },
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
      server: { host: source.HOST, port: source.PORT, internalTokenSecret: source.INTERNAL_TOKEN_SECRET },
    })),
  process.env,
);
