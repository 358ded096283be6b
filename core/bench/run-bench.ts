import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/**
 * What a program of this folder prints for `wish`, as JSON, run in a fresh process that may collect garbage at will.
 * @throws Error with what it said when it fails.
 */
export function runBench(file: string, wish: object, flags: readonly string[] = []): unknown {
  const args = ['--expose-gc', ...flags, join(import.meta.dirname, file), JSON.stringify(wish)];
  // Threads of a pool would each take an arena of their own, at their own time.
  const env = { ...process.env, MALLOC_ARENA_MAX: '1' };
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  if (status !== 0) throw new Error(`${file} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

/** An estimated peak over the measured one, and that in megabytes. */
export interface PeakRatio {
  readonly ratio: number;
  readonly measuredMB: number;
}

/**
 * The ratio that `file` prints. What V8 has not yet collected makes peaks differ from run to run by a sixth: of a first run
 * that is as far off, the median of three counts.
 */
export function measurePeak(file: string, wish: object): PeakRatio {
  const measure = () => runBench(file, wish) as PeakRatio;
  const first = measure();
  if (Math.abs(Math.log(first.ratio)) < Math.log(7 / 6)) return first;
  const runs = [first, measure(), measure()].toSorted((one, other) => one.ratio - other.ratio);
  return runs[1] ?? first;
}
