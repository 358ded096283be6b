import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../ports.ts';
import { hiddenDir, startPostgres } from '../services/postgres.ts';
import { startRedis } from '../services/redis.ts';
import type { Service } from '../services/service.ts';
import { startTemporal } from '../services/temporal.ts';

/** Where the servers of a test run are. `postgresUrl` is the owner's, a superuser, of the maintenance database. */
export interface Infrastructure {
  postgresUrl: string;
  redisUrl: string;
  temporalAddress: string;
}

export interface RunningInfrastructure {
  urls: Infrastructure;
  stop(): Promise<void>;
}

/** Starts a PostgreSQL, a Redis and a Temporal of our own in a temporary folder, by the launchers of `npm start`. */
export async function startInfrastructure(onProgress: (message: string) => void): Promise<RunningInfrastructure> {
  const dir = await mkdtemp(join(tmpdir(), 'kindred-test-'));
  await chmod(dir, 0o755); // PostgreSQL may run as another user
  const [postgresPort, redisPort, temporalPort] = [await freePort(), await freePort(), await freePort()];
  const at = (name: string): { dir: string; logPath: string } => ({
    dir: join(dir, name),
    logPath: join(dir, `${name}.log`),
  });
  const started = await Promise.allSettled([
    startPostgres({ ...at('postgres'), port: postgresPort, durable: false }),
    startRedis({ ...at('redis'), port: redisPort }),
    startTemporal({ ...at('temporal'), port: temporalPort, uiPort: null, onProgress }),
  ]);
  const stop = async (): Promise<void> => {
    const children = started.flatMap((result) =>
      result.status === 'fulfilled' && result.value.child ? [result.value.child] : [],
    );
    await Promise.all(children.map((child) => child.stop(10_000)));
    await rm(dir, { recursive: true, force: true });
    await rm(hiddenDir(join(dir, 'postgres')), { recursive: true, force: true });
  };
  const failure = started.find((result) => result.status === 'rejected');
  if (failure) {
    await stop();
    throw failure.reason;
  }
  const [postgres, redis, temporal] = started.map((result) => (result as PromiseFulfilledResult<Service>).value);
  if (!postgres || !redis || !temporal) throw new Error(`Wanted three services, got ${started.length}`);
  const maintenance = new URL(postgres.url);
  maintenance.pathname = '/postgres';
  return { urls: { postgresUrl: maintenance.href, redisUrl: redis.url, temporalAddress: temporal.url }, stop };
}
