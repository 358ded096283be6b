import { OBJECT_STORE_ENV, objectStoreOf, parseEnv, SERVER_ENV } from '@kindred/service/env';
import { z } from 'zod';

const schema = z
  .object({
    ...SERVER_ENV,
    ...OBJECT_STORE_ENV,
    DATABASE_URL: z.url(),
    REDIS_URL: z.url(),
    TEMPORAL_ADDRESS: z.string().min(1),
    TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
    WORKFLOW_BUNDLE: z.string().min(1).optional(),
    WORKER_BUILD_ID: z.string().min(1).max(200).optional(),
  })
  .transform((values) => ({
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    temporal: { address: values.TEMPORAL_ADDRESS, namespace: values.TEMPORAL_NAMESPACE },
    workflowBundlePath: values.WORKFLOW_BUNDLE ?? null,
    buildId: values.WORKER_BUILD_ID ?? null,
    objectStore: objectStoreOf(values),
  }));

/** The configuration of a worker of any queue. */
export const env = parseEnv(schema, process.env);
