import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';

/** What a benchmark ran on, for its record. `load` is the run queue's mean over the last minute: above 0 others ran too. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly lastLevelCacheBytes: number;
  readonly load: number;
  readonly node: string;
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    processors: availableParallelism(),
    lastLevelCacheBytes: readCacheBytes(),
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    node: process.version,
  };
}

/** Of the third-level cache as Linux tells it; elsewhere 32 MiB, the size of a server's. */
function readCacheBytes(): number {
  try {
    const kilobytes = Number.parseInt(readFileSync('/sys/devices/system/cpu/cpu0/cache/index3/size', 'utf8'), 10);
    if (kilobytes > 0) return kilobytes * 1024;
  } catch {
    // Not Linux, or no third level.
  }
  return 32 * 2 ** 20;
}
