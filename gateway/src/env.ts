import { parseEnv, SECRET, SERVER_ENV } from '@kindred/service/env';
import { z } from 'zod';

const ORIGIN = z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin);

const ENV = z
  .object({
    ...SERVER_ENV,
    INTERNAL_TOKEN_SECRET: SECRET,
    TENANT_URL: ORIGIN,
    CATALOG_URL: ORIGIN,
    MODEL_URL: ORIGIN,
    RECOMMENDATION_URL: ORIGIN,
    REDIS_URL: z.url({ protocol: /^rediss?$/ }),
    PERSISTED_DOCUMENTS: z
      .string()
      .default('')
      .transform((list) =>
        list
          .split(',')
          .map((file) => file.trim())
          .filter((file) => file !== ''),
      ),
    TRUSTED_PROXIES: z.coerce.number().int().min(0).max(10).default(0),
    ALLOWED_ORIGINS: z
      .string()
      .default('')
      .transform((list) => list.split(',').map((origin) => origin.trim()))
      .pipe(z.array(z.string()).transform((list) => list.filter((origin) => origin !== '')))
      .pipe(z.array(ORIGIN)),
  })
  .transform((env) => ({
    production: env.NODE_ENV === 'production',
    logLevel: env.LOG_LEVEL,
    host: env.HOST,
    port: env.PORT,
    internalTokenSecret: env.INTERNAL_TOKEN_SECRET,
    redisUrl: env.REDIS_URL,
    persistedDocuments: env.PERSISTED_DOCUMENTS,
    trustedProxies: env.TRUSTED_PROXIES,
    allowedOrigins: env.ALLOWED_ORIGINS,
    subgraphUrls: {
      tenant: env.TENANT_URL,
      catalog: env.CATALOG_URL,
      model: env.MODEL_URL,
      recommendation: env.RECOMMENDATION_URL,
    },
  }));

/**
 * The gateway's configuration. Also turns off what @apollo/gateway would otherwise send home: it reads this variable of
 * its own process when an ApolloGateway is constructed, and then exports metrics and probes cloud metadata hosts.
 */
export function readEnv() {
  process.env.APOLLO_TELEMETRY_DISABLED = '1';
  return parseEnv(ENV, process.env);
}
