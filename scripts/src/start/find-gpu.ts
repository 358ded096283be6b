import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../root.ts';

/** A GPU that computes here, or why there is none. */
export type FoundGpu = { gpuName: string } | { gpuName: null; reason: string };

const SCRIPT = join(ROOT, 'workflows/src/tools/find-gpu.ts');
/** Drivers are loaded for it; one that hangs must not hold up the start. */
const TIMEOUT_MS = 20_000;

/** Whether trainings can have a GPU here, asked of the back-end that they would use. Never rejects but for `signal`. */
export async function findGpu(
  signal: AbortSignal,
  { script = SCRIPT, timeoutMs = TIMEOUT_MS } = {},
): Promise<FoundGpu> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script], { signal, timeout: timeoutMs });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as FoundGpu;
  } catch (error) {
    signal.throwIfAborted();
    return { gpuName: null, reason: `looking for one failed: ${firstLine(error)}` };
  }
}

function firstLine(error: unknown): string {
  const isOver = error instanceof Error && 'killed' in error && error.killed === true;
  if (isOver) return 'it did not end in its time';
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
