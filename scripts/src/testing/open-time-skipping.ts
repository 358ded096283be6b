import { join } from 'node:path';
import { freePort } from '../ports.ts';
import type { Progress } from '../services/run-with-clock.ts';
import { startTimeSkippingServer } from '../services/time-skipping-server.ts';
import { temporaryDir } from './temporary-dir.ts';

/** Where it listens, or why this machine has none. */
export type TimeSkipping = { address: string } | { missing: string };

const GRACE_MS = 5_000;

/** Starts Temporal's server with a clock that jumps. */
export async function openTimeSkipping(
  onProgress: Progress,
): Promise<{ server: TimeSkipping; stop: () => Promise<void> }> {
  const dir = await temporaryDir();
  try {
    const logPath = join(dir.path, 'time-skipping-server.log');
    const { url, child } = await startTimeSkippingServer({ port: await freePort(), logPath, onProgress });
    const stop = async () => {
      await child?.stop(GRACE_MS);
      await dir[Symbol.asyncDispose]();
    };
    return { server: { address: url }, stop };
  } catch (error) {
    await dir[Symbol.asyncDispose]();
    const missing = error instanceof Error ? error.message : String(error);
    return { server: { missing }, stop: () => Promise.resolve() };
  }
}
