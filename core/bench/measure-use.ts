/** What a piece of work took. */
export interface Use {
  readonly seconds: number;
  /** User and system time of all threads. */
  readonly cpuSeconds: number;
  /** The most the process held above what it held before, sampled every 20 ms between steps; 1 MB is 10^6 bytes. */
  readonly peakMegabytes: number;
}

/** Runs `work` and measures it. */
export async function measureUse<T>(work: () => Promise<T>): Promise<Use & { readonly result: T }> {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let peak = before;
  const sample = () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  const timer = setInterval(sample, 20);
  const cpu = process.cpuUsage();
  const started = performance.now();
  try {
    const result = await work();
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    sample();
    return { result, seconds, cpuSeconds: (user + system) / 1e6, peakMegabytes: (peak - before) / 1e6 };
  } finally {
    clearInterval(timer);
  }
}
