import type { ChildProcess } from 'node:child_process';
import type { TaskQueue } from '../contract.ts';
import { type SpawnedServer, spawnProcess, spawnServer } from './spawn-server.ts';
import { API_KEY_PEPPER, type TrainingWorld } from './training-world.ts';

/** A worker process as operators run it; its url is the origin of its health server. */
export type SpawnedWorker = SpawnedServer;

interface WorkerSettings {
  /** Where it looks for Redis, if not where the world has it. */
  redisUrl?: string;
  buildId?: string;
}

/** The process alone. */
export function spawnWorkerProcess(
  world: TrainingWorld,
  queue: TaskQueue,
  settings: WorkerSettings = {},
): ChildProcess {
  return spawnProcess(fileOf(queue), environmentOf(world, queue, settings));
}

/** Resolves once the worker says that it works. */
export function spawnWorker(
  world: TrainingWorld,
  queue: TaskQueue,
  settings: WorkerSettings = {},
): Promise<SpawnedWorker> {
  return spawnServer(fileOf(queue), environmentOf(world, queue, settings));
}

function fileOf(queue: TaskQueue): URL {
  return new URL(`../workers/${queue}.ts`, import.meta.url);
}

function environmentOf(
  { addresses, namespace }: TrainingWorld,
  queue: TaskQueue,
  { redisUrl = addresses.redisUrl, buildId }: WorkerSettings,
): Record<string, string> {
  return {
    ...(queue === 'data' && { API_KEY_PEPPER }),
    DATABASE_URL: addresses.databaseUrl,
    REDIS_URL: redisUrl,
    OBJECT_STORE_URL: addresses.objectStoreUrl,
    CACHE_DIR: '/nonexistent',
    TEMPORAL_ADDRESS: addresses.temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    ...(buildId !== undefined && { WORKER_BUILD_ID: buildId }),
  };
}
