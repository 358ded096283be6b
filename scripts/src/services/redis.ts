import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { type Child, startChild } from '../processes/start-child.ts';
import { StopReason } from '../report-error.ts';
import { waitUntil } from '../wait-until.ts';
import { findOnPath } from './find-on-path.ts';
import type { Service } from './service.ts';

export interface RedisOptions {
  dir: string;
  port: number;
  logPath: string;
  /** Whether to leave a `redis-server` on PATH aside, as on a machine that has none. */
  pureJavaScript?: boolean;
}

/**
 * Starts our own Redis on 127.0.0.1, without persistence: `redis-server` from PATH, else js-redis-server.
 * @throws StopReason when it does not answer.
 */
export async function startRedis(options: RedisOptions): Promise<Service> {
  await mkdir(options.dir, { recursive: true });
  const binary = options.pureJavaScript ? null : findOnPath('redis-server');
  const { command, args } = binary === null ? javaScriptServer(options.port) : nativeServer(binary, options.port);
  const child = await startChild({ name: 'redis', command, args, cwd: options.dir, logPath: options.logPath });
  try {
    await waitForRedis(options.port, child);
  } catch (cause) {
    await child.stop(2_000);
    throw new StopReason(`Redis did not start: see ${options.logPath}.`, { cause });
  }
  const origin = binary === null ? 'js-redis-server' : 'redis-server';
  return { name: 'redis', url: `redis://127.0.0.1:${options.port}`, child, origin };
}

function nativeServer(command: string, port: number): { command: string; args: string[] } {
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  return { command, args: [...settings, '--daemonize', 'no'] };
}

function javaScriptServer(port: number): { command: string; args: string[] } {
  const entry = createRequire(import.meta.url).resolve('js-redis-server');
  return { command: process.execPath, args: [join(dirname(entry), 'cli.js'), '--port', String(port)] };
}

async function waitForRedis(port: number, child: Child): Promise<void> {
  const gone = new AbortController();
  void child.exited.then(() => gone.abort(new Error('the process ended')));
  await waitUntil(() => ping(port), { what: 'Redis', timeoutMs: 15_000, intervalMs: 30, signal: gone.signal });
}

function ping(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 2_000 });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (data) => end(data.toString('latin1').startsWith('+PONG')));
    socket.once('timeout', () => end(false));
    socket.once('error', reject);
  });
}
