import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** A Redis for rates: the one at REDIS_URL, else a `redis-server` from PATH on a free port. */
export async function startRedis(): Promise<{ url: string; stop: () => void }> {
  if (process.env.REDIS_URL !== undefined) return { url: process.env.REDIS_URL, stop: () => {} };
  const port = await freePort();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', settings, { stdio: 'ignore' });
  await once(child, 'spawn');
  // It listens within milliseconds; the gateway waits for it besides.
  await wait(200);
  return { url: `redis://127.0.0.1:${port}`, stop: () => void child.kill() };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
