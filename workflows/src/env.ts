import { OBJECT_STORE_ENV, parseEnv, SERVER_ENV } from '@kindred/service/env';
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
    objectStore: {
      url: values.OBJECT_STORE_URL,
      cacheDir: values.CACHE_DIR,
      s3: {
        endpoint: values.S3_ENDPOINT,
        region: values.S3_REGION,
        accessKeyId: values.S3_ACCESS_KEY_ID,
        secretAccessKey: values.S3_SECRET_ACCESS_KEY,
      },
    },
  }));

/** The configuration of a worker of any queue. */
export const env = parseEnv(schema, process.env);
