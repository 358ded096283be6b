import { parseEnv, SECRET, SERVER_ENV } from '@kindred/service/env';
import { z } from 'zod';
import { sessionSigningKeysSchema } from './access-tokens.ts';

/** The configuration of the tenant subgraph; main.ts alone reads it. */
export const env = parseEnv(
  z
    .object({
      ...SERVER_ENV,
      DATABASE_URL: z.url(),
      REDIS_URL: z.url(),
      INTERNAL_TOKEN_SECRET: SECRET,
      SESSION_SIGNING_KEY: sessionSigningKeysSchema,
      API_KEY_PEPPER: SECRET,
    })
    .transform((source) => ({
      logLevel: source.LOG_LEVEL,
      databaseUrl: source.DATABASE_URL,
      redisUrl: source.REDIS_URL,
      server: { host: source.HOST, port: source.PORT, internalTokenSecret: source.INTERNAL_TOKEN_SECRET },
      secrets: { sessionSigningKeys: source.SESSION_SIGNING_KEY, apiKeyPepper: source.API_KEY_PEPPER },
    })),
  process.env,
);
