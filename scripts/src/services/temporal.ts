import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, startChild } from '../processes/start-child.ts';
import { StopReason } from '../report-error.ts';
import { waitUntil } from '../wait-until.ts';
import type { Progress } from './run-with-clock.ts';
import type { Service } from './service.ts';
import { findTemporalBinary } from './temporal-binary.ts';
import { hasNamespace } from './temporal-namespace.ts';

export interface TemporalOptions {
  /** Holds the server's database. */
  dir: string;
  port: number;
  /** The port of its web interface; null for none. */
  uiPort: number | null;
  logPath: string;
  /** Told what is being done when the server has to be fetched or built first. */
  onProgress?: Progress;
  signal?: AbortSignal;
}

/**
 * Starts our own Temporal server on 127.0.0.1, with its state in `dir`.
 * @throws StopReason when it can be neither found nor made, or does not answer.
 */
export async function startTemporal(options: TemporalOptions): Promise<Service> {
  await mkdir(options.dir, { recursive: true });
  const binary = await findTemporalBinary(options.onProgress ?? (() => undefined), options.signal);
  const child = await startChild({
    name: 'temporal',
    command: binary.path,
    args: serverArguments(options),
    cwd: options.dir,
    logPath: options.logPath,
  });
  try {
    await waitForTemporal(options.port, child);
  } catch (cause) {
    await child.stop(2_000);
    throw new StopReason(`Temporal did not start: see ${options.logPath}.`, { cause });
  }
  return { name: 'temporal', url: `127.0.0.1:${options.port}`, child, origin: binary.origin };
}

function serverArguments({ dir, port, uiPort }: TemporalOptions): string[] {
  const database = ['--db-filename', join(dir, 'temporal.db')];
  const ui = uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort)];
  return [
    'server',
    'start-dev',
    ...database,
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    ...ui,
    // Tasks that wait for a worker are served tenant by tenant, in turn; exactly so within one partition of a queue.
    ...dynamicConfig('matching.enableFairness=true'),
    ...dynamicConfig('matching.numTaskqueueReadPartitions=1'),
    ...dynamicConfig('matching.numTaskqueueWritePartitions=1'),
    '--log-level',
    'warn',
  ];
}

function dynamicConfig(setting: string): string[] {
  return ['--dynamic-config-value', setting];
}

async function waitForTemporal(port: number, child: Child): Promise<void> {
  const gone = new AbortController();
  void child.exited.then(() => gone.abort(new Error('the process ended')));
  const address = `127.0.0.1:${port}`;
  await waitUntil(() => hasNamespace(address, 'default'), {
    what: 'Temporal',
    timeoutMs: 60_000,
    signal: gone.signal,
  });
}
