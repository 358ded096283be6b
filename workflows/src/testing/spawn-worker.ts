import type { TaskQueue } from '../contract.ts';
import { type SpawnedServer, spawnServer } from './spawn-server.ts';
import { API_KEY_PEPPER, type TrainingWorld } from './training-world.ts';

/** A worker process as operators run it; its url is the origin of its health server. */
export type SpawnedWorker = SpawnedServer;

/** Resolves once the worker says that it works; `redisUrl` is where it looks for Redis, if not where the world has it. */
export function spawnWorker(
  { addresses, namespace }: TrainingWorld,
  queue: TaskQueue,
  { redisUrl = addresses.redisUrl }: { redisUrl?: string } = {},
): Promise<SpawnedWorker> {
  return spawnServer(new URL(`../workers/${queue}.ts`, import.meta.url), {
    ...(queue === 'data' && { API_KEY_PEPPER }),
    DATABASE_URL: addresses.databaseUrl,
    REDIS_URL: redisUrl,
    OBJECT_STORE_URL: addresses.objectStoreUrl,
    CACHE_DIR: '/nonexistent',
    TEMPORAL_ADDRESS: addresses.temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
  });
}
