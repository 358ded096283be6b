import { OBJECT_STORE_ENV, objectStoreOf, parseEnv, SECRET, SERVER_ENV } from '@kindred/service/env';
import { z } from 'zod';

const BYTES = z.coerce.number().int().min(0);

/** The configuration of the recommendation subgraph; main.ts alone reads it. */
export const env = parseEnv(
  z
    .object({
      ...SERVER_ENV,
      ...OBJECT_STORE_ENV,
      DATABASE_URL: z.url(),
      REDIS_URL: z.url(),
      INTERNAL_TOKEN_SECRET: SECRET,
      SERVING_BYTES: BYTES.default(4 * 2 ** 30),
      RESULT_CACHE_BYTES: BYTES.default(64 * 2 ** 20),
      SEARCH_BATCH_SIZE: z.coerce.number().int().min(1).max(1_024).default(64),
      MOST_QUESTIONS: z.coerce.number().int().min(1).default(512),
    })
    .transform((source) => ({
      logLevel: source.LOG_LEVEL,
      databaseUrl: source.DATABASE_URL,
      redisUrl: source.REDIS_URL,
      mostBytes: source.SERVING_BYTES,
      resultCacheBytes: source.RESULT_CACHE_BYTES,
      mostSearchesAtOnce: source.SEARCH_BATCH_SIZE,
      mostQuestions: source.MOST_QUESTIONS,
      server: { host: source.HOST, port: source.PORT, internalTokenSecret: source.INTERNAL_TOKEN_SECRET },
      objectStore: objectStoreOf(source),
    })),
  process.env,
);
