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

/** One of the servers, by its name. */
export type ServerName = 'postgres' | 'redis' | 'temporal';

export interface RunningInfrastructure {
  urls: Infrastructure;
  /** Ends a server: at once, or in good order. */
  end(name: ServerName, how: 'killed' | 'stopped'): Promise<void>;
  /** Starts a server that was ended, where it was and with what it kept. */
  restart(name: ServerName): Promise<void>;
  stop(): Promise<void>;
}

const GRACE_MS = 10_000;

/** Starts a PostgreSQL, a Redis and a Temporal of our own in a temporary folder, by the launchers of `npm start`. */
export async function startInfrastructure(onProgress: (message: string) => void): Promise<RunningInfrastructure> {
  const dir = await mkdtemp(join(tmpdir(), 'kindred-test-'));
  await chmod(dir, 0o755); // PostgreSQL may run as another user
  const launchers = await createLaunchers(dir, onProgress);
  const running = new Map<ServerName, Service>();
  const start = async (name: ServerName): Promise<string> => {
    const service = await launchers[name]();
    running.set(name, service);
    return service.url;
  };
  const end = async (name: ServerName, how: 'killed' | 'stopped'): Promise<void> => {
    const child = running.get(name)?.child;
    running.delete(name);
    if (how === 'killed') child?.kill();
    await (how === 'killed' ? child?.exited : child?.stop(GRACE_MS));
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...running.keys()].map((name) => end(name, 'stopped')));
    await rm(dir, { recursive: true, force: true });
    await rm(hiddenDir(join(dir, 'postgres')), { recursive: true, force: true });
  };
  const started = await Promise.allSettled([start('postgres'), start('redis'), start('temporal')]);
  const failure = started.find((result) => result.status === 'rejected');
  if (failure) {
    await stop();
    throw failure.reason;
  }
  const [postgresUrl, redisUrl, temporalAddress] = started.map(
    (result) => (result as PromiseFulfilledResult<string>).value,
  );
  if (!postgresUrl || !redisUrl || !temporalAddress) throw new Error(`Wanted three services, got ${started.length}`);
  const maintenance = new URL(postgresUrl);
  maintenance.pathname = '/postgres';
  const urls = { postgresUrl: maintenance.href, redisUrl, temporalAddress };
  return { urls, end, restart: async (name) => void (await start(name)), stop };
}

async function createLaunchers(
  dir: string,
  onProgress: (message: string) => void,
): Promise<Record<ServerName, () => Promise<Service>>> {
  const [postgresPort, redisPort, temporalPort] = [await freePort(), await freePort(), await freePort()];
  const at = (name: string): { dir: string; logPath: string } => ({
    dir: join(dir, name),
    logPath: join(dir, `${name}.log`),
  });
  return {
    postgres: () => startPostgres({ ...at('postgres'), port: postgresPort, durable: false }),
    redis: () => startRedis({ ...at('redis'), port: redisPort }),
    temporal: () => startTemporal({ ...at('temporal'), port: temporalPort, uiPort: null, onProgress }),
  };
}
