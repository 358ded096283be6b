import { OBJECT_STORE_ENV, objectStoreOf, parseEnv, SECRET, SERVER_ENV } from '@kindred/service/env';
import { z } from 'zod';
import { sessionSigningKeysSchema } from './access-tokens.ts';
import { DEFAULT_PRICES } from './usage-cost.ts';

const price = (usual: number) => z.coerce.number().min(0).default(usual);

/** The configuration of the tenant subgraph; main.ts alone reads it. */
export const env = parseEnv(
  z
    .object({
      ...SERVER_ENV,
      ...OBJECT_STORE_ENV,
      DATABASE_URL: z.url(),
      REDIS_URL: z.url(),
      INTERNAL_TOKEN_SECRET: SECRET,
      SESSION_SIGNING_KEY: sessionSigningKeysSchema,
      API_KEY_PEPPER: SECRET,
      PRICE_CURRENCY: z
        .string()
        .regex(/^[A-Z]{3}$/)
        .default(DEFAULT_PRICES.currency),
      PRICE_MILLION_POINTS: price(DEFAULT_PRICES.millionPoints),
      PRICE_TRAINING_CPU_HOUR: price(DEFAULT_PRICES.trainingCpuHour),
      PRICE_MILLION_ITEMS_MONTH: price(DEFAULT_PRICES.millionItemsForAMonth),
      PRICE_MILLION_INTERACTIONS_MONTH: price(DEFAULT_PRICES.millionInteractionsForAMonth),
      TEMPORAL_ADDRESS: z.string().min(1),
      TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
    })
    .transform((source) => ({
      logLevel: source.LOG_LEVEL,
      databaseUrl: source.DATABASE_URL,
      redisUrl: source.REDIS_URL,
      temporal: { address: source.TEMPORAL_ADDRESS, namespace: source.TEMPORAL_NAMESPACE },
      objectStore: objectStoreOf(source),
      server: { host: source.HOST, port: source.PORT, internalTokenSecret: source.INTERNAL_TOKEN_SECRET },
      secrets: { sessionSigningKeys: source.SESSION_SIGNING_KEY, apiKeyPepper: source.API_KEY_PEPPER },
      prices: {
        currency: source.PRICE_CURRENCY,
        millionPoints: source.PRICE_MILLION_POINTS,
        trainingCpuHour: source.PRICE_TRAINING_CPU_HOUR,
        millionItemsForAMonth: source.PRICE_MILLION_ITEMS_MONTH,
        millionInteractionsForAMonth: source.PRICE_MILLION_INTERACTIONS_MONTH,
      },
    })),
  process.env,
);
