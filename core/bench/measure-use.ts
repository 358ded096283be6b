import { watchPeakMemory } from './peak-memory.ts';

/** What a piece of work took. */
export interface Use {
  readonly seconds: number;
  /** User and system time of all threads. */
  readonly cpuSeconds: number;
  /** The most that the process held above what it held before; 1 MB is 10^6 bytes. */
  readonly peakMB: number;
}

/** Runs `work` and measures it. */
export async function measureUse<T>(work: () => Promise<T>): Promise<Use & { readonly result: T }> {
  const peakBytes = watchPeakMemory();
  const cpu = process.cpuUsage();
  const started = performance.now();
  const result = await work();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { result, seconds, cpuSeconds: (user + system) / 1e6, peakMB: peakBytes() / 1e6 };
}
