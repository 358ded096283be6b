import { z } from 'zod';

/** What every server and worker reads; spread it into the process's own shape. */
export const SERVER_ENV = {
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
};

/** A secret long enough not to be guessed. */
export const SECRET = z.string().min(32);

/** What a store of artefacts needs: see openObjectStore. */
export const OBJECT_STORE_ENV = {
  OBJECT_STORE_URL: z.string().regex(/^(file:\/\/\/|s3:\/\/)./, 'wanted file:///dir or s3://bucket'),
  S3_ENDPOINT: z.url().optional(),
  S3_REGION: z.string().min(1).default('us-east-1'),
  S3_ACCESS_KEY_ID: z.string().min(1).optional(),
  S3_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  CACHE_DIR: z.string().min(1),
};

/** The options of `openObjectStore` that these keys say. */
export function objectStoreOf(source: z.output<z.ZodObject<typeof OBJECT_STORE_ENV>>) {
  return {
    url: source.OBJECT_STORE_URL,
    cacheDir: source.CACHE_DIR,
    s3: {
      endpoint: source.S3_ENDPOINT,
      region: source.S3_REGION,
      accessKeyId: source.S3_ACCESS_KEY_ID,
      secretAccessKey: source.S3_SECRET_ACCESS_KEY,
    },
  };
}

type Source = Record<string, string | undefined>;

/**
 * The configuration of a process, deeply frozen. Prints every problem at once and exits with 1 when there is one:
 * wrong or missing values, and in production also secrets that contain "development". An empty value counts as missing.
 */
export function parseEnv<S extends z.ZodType>(schema: S, source: Source): Readonly<z.output<S>> {
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''));
  const result = schema.safeParse(given);
  const problems = [
    ...(result.success ? [] : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)),
    ...findDevelopmentSecrets(given),
  ];
  if (!result.success || problems.length > 0) {
    process.stderr.write(`The environment does not allow a start:\n${problems.map((line) => `  ${line}\n`).join('')}`);
    process.exit(1);
  }
  return deepFreeze(result.data);
}

function findDevelopmentSecrets(source: Source): string[] {
  if (source.NODE_ENV !== 'production') return [];
  return Object.entries(source)
    .filter(([key]) => /SECRET|PEPPER|PASSWORD|SIGNING_KEY/.test(key))
    .filter(([, value = '']) => `${value}${Buffer.from(value, 'base64').toString('utf8')}`.includes('development'))
    .map(([key]) => `${key}: a development secret must not be used in production`);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
