import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, type Ports } from '../../src/ports.ts';
import type { Child } from '../../src/processes/start-child.ts';
import { hiddenDir, startPostgres } from '../../src/services/postgres.ts';
import { startRedis } from '../../src/services/redis.ts';
import { appPart } from '../../src/start/app-part.ts';
import { type AppSettings, type AppSpec, gatewayApp, subgraphsAndWorkers } from '../../src/start/app-specs.ts';
import { migrate } from '../../src/start/migrate.ts';
import { openSecrets, type Secrets } from '../../src/start/secrets.ts';
import { openStateFolder, type StateFolder } from '../../src/start/state-folder.ts';
import { waitUntil } from '../../src/wait-until.ts';

/** What `recommend` runs on, as processes that `npm start` would start. */
export interface ServePlatform extends AsyncDisposable {
  folder: StateFolder;
  secrets: Secrets;
  databaseUrl: string;
  redisUrl: string;
  gatewayUrl: string;
  ports: Ports;
  /** By name; Redis's and the subgraphs' are replaced by `restart…`. */
  processes: Map<string, Child>;
  /** Starts a part anew, or one more replica of it under another name and port. */
  start(name: 'catalog' | 'model' | 'recommendation' | 'gateway', change?: Change): Promise<Child>;
  killRedis(): void;
  startRedis(): Promise<void>;
}

interface Change {
  as?: string;
  port?: number;
  env?: Record<string, string>;
}

const GRACE_MS = 5_000;

/** Starts PostgreSQL, Redis, the tenant, catalog and recommendation subgraphs and the gateway in a folder of their own. */
export async function startServePlatform(): Promise<ServePlatform> {
  const root = await mkdtemp(join(tmpdir(), 'kindred-bench-'));
  await chmod(root, 0o755); // PostgreSQL may run as another user
  const folder = openStateFolder(root);
  const { ports } = await freePorts();
  const secrets = openSecrets(folder.secrets);
  const processes = new Map<string, Child>();
  const keep = (name: string, child: Child | null): void => void (child && processes.set(name, child));
  const redisOptions = { dir: folder.redis, port: ports.redis, logPath: folder.log('redis') };
  const postgres = await startPostgres({
    dir: folder.postgres,
    port: ports.postgres,
    logPath: folder.log('postgres'),
    durable: true,
  });
  keep('postgres', postgres.child);
  const redis = await startRedis(redisOptions);
  keep('redis', redis.child);
  const urls = { migrationUrl: postgres.url, databaseUrl: null, redisUrl: redis.url, temporalAddress: 'unused:7233' };
  const databaseUrl = await migrate(urls, secrets, { set: () => {}, print: () => {}, settle: () => {} });
  const settings: AppSettings = { ports, secrets, folder, ...urls, databaseUrl, hasGpu: false };
  const specs = [...subgraphsAndWorkers(settings), gatewayApp(settings)];
  const specOf = (name: string): AppSpec => {
    const spec = specs.find((candidate) => candidate.name === name);
    if (spec === undefined) throw new Error(`There is no part "${name}"`);
    return spec;
  };
  const launch = async (spec: AppSpec): Promise<Child> => {
    // As it is deployed: in development graphql-js looks at each value twice.
    const part = appPart({ ...spec, env: { NODE_ENV: 'production', ...spec.env } }, folder);
    const child = await part.launch(new AbortController().signal);
    keep(spec.name, child);
    // Not `ready`: the gateway is so only with the model subgraph, which no recommendation needs.
    const live = async () => (await fetch(`http://127.0.0.1:${spec.port}/health/live`)).ok;
    await waitUntil(live, { what: spec.name, timeoutMs: 60_000 });
    return child;
  };
  const stopAll = async (): Promise<void> => {
    for (const child of [...processes.values()].toReversed()) await child.stop(GRACE_MS);
    await rm(root, { recursive: true, force: true });
    await rm(hiddenDir(folder.postgres), { recursive: true, force: true });
  };
  try {
    await Promise.all(['tenant', 'catalog', 'recommendation'].map((name) => launch(specOf(name))));
    await launch(specOf('gateway'));
  } catch (error) {
    await stopAll();
    throw error;
  }
  return {
    folder,
    secrets,
    databaseUrl,
    redisUrl: redis.url,
    gatewayUrl: `http://127.0.0.1:${ports.gateway}/graphql`,
    ports,
    processes,
    start: async (name, { as = name, port, env = {} } = {}) => {
      await processes.get(as)?.stop(GRACE_MS);
      const spec = specOf(name);
      return await launch({ ...spec, name: as, port: port ?? spec.port, env: { ...spec.env, ...env } });
    },
    killRedis: () => processes.get('redis')?.kill(),
    startRedis: async () => keep('redis', (await startRedis(redisOptions)).child),
    [Symbol.asyncDispose]: stopAll,
  };
}
