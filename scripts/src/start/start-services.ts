import { checkService } from '../services/check-service.ts';
import type { Child } from '../processes/start-child.ts';
import type { ProcessRegistry } from '../processes/process-registry.ts';
import { type Supervised, supervise } from '../processes/supervise.ts';
import type { PortName, Ports } from '../ports.ts';
import { startPostgres } from '../services/postgres.ts';
import { startRedis } from '../services/redis.ts';
import type { Service } from '../services/service.ts';
import { startTemporal } from '../services/temporal.ts';
import type { Board } from './show-board.ts';
import type { StateFolder } from './state-folder.ts';

export interface ServiceUrls {
  /** The owner's; null when only the application's own URL was given. */
  migrationUrl: string | null;
  /** The application's; null when the server is ours, whose application role has a password of ours. */
  databaseUrl: string | null;
  redisUrl: string;
  temporalAddress: string;
}

export interface ServicesContext {
  env: NodeJS.ProcessEnv;
  ports: Ports;
  folder: StateFolder;
  registry: ProcessRegistry;
  board: Board;
  /** Every part that was started is put here, so that it can be stopped whatever happens next. */
  started: Supervised[];
}

/** Which ports our own servers will take, given which ones the environment names. */
export function servicePorts(env: NodeJS.ProcessEnv): PortName[] {
  const ports: PortName[] = [];
  if (!env.DATABASE_URL) ports.push('postgres');
  if (!env.REDIS_URL) ports.push('redis');
  if (!env.TEMPORAL_ADDRESS) ports.push('temporal', 'temporalUi');
  return ports;
}

/**
 * Brings up PostgreSQL, Redis and Temporal, each by its environment variable or as a process of ours.
 * @throws StopReason naming the one that does not answer or cannot be started.
 */
export async function startServices(context: ServicesContext): Promise<ServiceUrls> {
  const { env, ports, folder } = context;
  const postgres = env.DATABASE_URL
    ? external(context, 'PostgreSQL', env.MIGRATION_DATABASE_URL ?? env.DATABASE_URL)
    : embedded(context, 'PostgreSQL', (signal) =>
        startPostgres({
          dir: folder.postgres,
          port: ports.postgres,
          logPath: folder.log('postgres'),
          durable: true,
          signal,
        }),
      );
  const redis = env.REDIS_URL
    ? external(context, 'Redis', env.REDIS_URL)
    : embedded(context, 'Redis', () =>
        startRedis({ dir: folder.redis, port: ports.redis, logPath: folder.log('redis') }),
      );
  const temporal = env.TEMPORAL_ADDRESS
    ? external(context, 'Temporal', env.TEMPORAL_ADDRESS)
    : embedded(context, 'Temporal', (signal) => startOurTemporal(context, signal));
  const [ownerUrl, redisUrl, temporalAddress] = await Promise.all([postgres, redis, temporal]);
  const given = env.DATABASE_URL;
  return {
    migrationUrl: given ? (env.MIGRATION_DATABASE_URL ?? null) : ownerUrl,
    databaseUrl: given ?? null,
    redisUrl,
    temporalAddress,
  };
}

function startOurTemporal({ ports, folder, board }: ServicesContext, signal: AbortSignal): Promise<Service> {
  return startTemporal({
    dir: folder.temporal,
    port: ports.temporal,
    uiPort: ports.temporalUi,
    logPath: folder.log('temporal'),
    onProgress: (what) => board.set('Temporal', { kind: 'working', what }),
    signal,
  });
}

async function external({ board }: ServicesContext, title: string, url: string): Promise<string> {
  board.set(title, { kind: 'starting' });
  await checkService(title, url);
  board.set(title, { kind: 'external' }, `yours, ${new URL(url.includes('://') ? url : `tcp://${url}`).host}`);
  return url;
}

async function embedded(
  { board, registry, started }: ServicesContext,
  title: string,
  start: (signal: AbortSignal) => Promise<Service>,
): Promise<string> {
  let url = '';
  let note = '';
  const launch = async (signal: AbortSignal): Promise<Child> => {
    const service = await start(signal);
    if (service.child === null) throw new Error(`${title} has no process of ours`);
    ({ url } = service);
    note = `${service.origin}, port ${new URL(url.includes('://') ? url : `tcp://${url}`).port}`;
    return service.child;
  };
  const part = { name: title, launch, waitUntilReady: () => Promise.resolve() };
  const supervised = supervise(part, { registry, onChange: (state) => board.set(title, state, note) });
  started.push(supervised);
  await supervised.ready;
  return url;
}
