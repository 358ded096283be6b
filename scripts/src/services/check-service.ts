import { Redis } from 'ioredis';
import { Client } from 'pg';
import { StopReason } from '../report-error.ts';
import { hasNamespace } from './temporal-namespace.ts';

const TIMEOUT_MS = 5_000;

/**
 * Makes sure that a server of the user's own answers.
 * @throws StopReason naming it and its environment variable.
 */
export async function checkService(title: string, url: string): Promise<void> {
  try {
    if (title === 'PostgreSQL') await checkPostgres(url);
    else if (title === 'Redis') await checkRedis(url);
    else await checkTemporal(url);
  } catch (cause) {
    const variable = { PostgreSQL: 'DATABASE_URL', Redis: 'REDIS_URL' }[title] ?? 'TEMPORAL_ADDRESS';
    const reason = cause instanceof Error ? cause.message || ('code' in cause ? cause.code : cause.name) : cause;
    throw new StopReason(`${title} does not answer at the address of ${variable}: ${String(reason)}`, { cause });
  }
}

async function checkPostgres(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: TIMEOUT_MS });
  await client.connect();
  await client.end();
}

async function checkRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // The reason of a failed connection comes as an event; the promise only says that it was closed.
  const failure = new Promise<never>((_resolve, reject) => redis.once('error', reject));
  try {
    await Promise.race([redis.connect().then(() => redis.ping()), failure]);
  } finally {
    redis.disconnect();
  }
}

async function checkTemporal(address: string): Promise<void> {
  const namespace = process.env.TEMPORAL_NAMESPACE ?? 'default';
  if (!(await hasNamespace(address, namespace))) throw new Error(`it has no namespace "${namespace}"`);
}
