import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TaskQueue } from '../contract.ts';
import type { TrainingWorld } from './training-world.ts';

/** A worker process as operators run it. */
export interface SpawnedWorker extends AsyncDisposable {
  child: ChildProcess;
  /** The origin of its health server. */
  url: string;
}

/** The process alone; `redisUrl` is where it looks for Redis, if not where the world has it. */
export function spawnWorkerProcess(
  { addresses, namespace }: TrainingWorld,
  queue: TaskQueue,
  { redisUrl = addresses.redisUrl, buildId }: { redisUrl?: string; buildId?: string } = {},
): ChildProcess {
  return spawn(process.execPath, [fileURLToPath(new URL(`../workers/${queue}.ts`, import.meta.url))], {
    env: {
      NODE_ENV: 'test',
      PORT: '0',
      DATABASE_URL: addresses.databaseUrl,
      REDIS_URL: redisUrl,
      OBJECT_STORE_URL: addresses.objectStoreUrl,
      CACHE_DIR: '/nonexistent',
      TEMPORAL_ADDRESS: addresses.temporalAddress,
      TEMPORAL_NAMESPACE: namespace,
      ...(buildId !== undefined && { WORKER_BUILD_ID: buildId }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Resolves once the worker says that it works. */
export async function spawnWorker(
  world: TrainingWorld,
  queue: TaskQueue,
  options: { redisUrl?: string; buildId?: string } = {},
): Promise<SpawnedWorker> {
  const child = spawnWorkerProcess(world, queue, options);
  const exited = once(child, 'exit');
  const url = await firstUrl(child);
  return {
    child,
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function firstUrl({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) {
    throw new Error('Wanted a worker with a piped stdout, got none.');
  }
  const lines = createInterface({ input: stdout });
  for await (const line of lines) {
    const { url } = JSON.parse(line) as { url?: string };
    if (url !== undefined) {
      stdout.resume();
      return url;
    }
  }
  throw new Error('The worker ended before it worked.');
}
