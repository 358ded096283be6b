import { readFigures } from './figures.ts';
import { quantile } from '@kindred/testing/quantile';
import type { LoadResult } from './load.ts';
import type { ServePlatform } from './platform.ts';
import { cpuBetween, readUse } from './process-use.ts';

/** The figures of one load. */
export interface LoadFigures {
  name: string;
  requestsPerSecond: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  answered: number;
  errors: number;
  reasons: string[];
  /** CPU microseconds of each process for one answer; `load` is the generator's own. */
  cpuUs: Record<string, number>;
  /** Memory afterwards, in MiB. */
  rssMiB: Record<string, number>;
  /** Share of the answers that came from memory, of those that could; null where none could. */
  cacheHitRate: number | null;
}

/** Runs a load and reads what it cost. */
export async function measureLoad(
  platform: ServePlatform,
  name: string,
  run: () => Promise<LoadResult>,
): Promise<LoadFigures> {
  const [before, cacheBefore, ownBefore] = [
    readUse(platform.processes),
    await readFigures(platform),
    process.cpuUsage(),
  ];
  const result = await run();
  const [after, cacheAfter, own] = [
    readUse(platform.processes),
    await readFigures(platform),
    process.cpuUsage(ownBefore),
  ];
  const perAnswer = (cpuMs: number): number => (cpuMs * 1000) / Math.max(1, result.answered);
  const cpuUs = Object.entries(cpuBetween(before, after)).map(([part, cpuMs]) => [part, perAnswer(cpuMs)] as const);
  const hits = cacheAfter.hits - cacheBefore.hits;
  const lookUps = hits + cacheAfter.misses - cacheBefore.misses;
  const { latencies, answered, errors, reasons, seconds } = result;
  return {
    name,
    requestsPerSecond: answered / seconds,
    p50Ms: quantile(latencies, 0.5),
    p95Ms: quantile(latencies, 0.95),
    p99Ms: quantile(latencies, 0.99),
    answered,
    errors,
    reasons,
    cpuUs: Object.fromEntries([...cpuUs, ['load', perAnswer((own.user + own.system) / 1000)]]),
    rssMiB: Object.fromEntries([...after].map(([part, { rssMiB }]) => [part, Math.round(rssMiB)])),
    cacheHitRate: lookUps === 0 ? null : hits / lookUps,
  };
}
