import type { EventFigures } from './events.ts';
import type { LoadFigures } from './measure-load.ts';

/** How long each replica took, in milliseconds, and the requests that failed meanwhile. */
export interface PromotionFigures {
  promotionMs: number[];
  rollbackMs: number[];
  errors: number;
}

export function printLoads(loads: readonly LoadFigures[]): void {
  for (const load of loads) {
    const { name, requestsPerSecond, p50Ms, p95Ms, p99Ms, errors, cacheHitRate, cpuUs, rssMiB, reasons } = load;
    const latencies = [p50Ms, p95Ms, p99Ms].map((ms) => ms.toFixed(1)).join(' / ');
    const hits = cacheHitRate === null ? '' : `, ${(100 * cacheHitRate).toFixed(1)} % from memory`;
    console.log(`${name}: ${requestsPerSecond.toFixed(0)}/s, p50 / p95 / p99 ${latencies} ms, ${errors} errors${hits}`);
    const parts = Object.entries(cpuUs).map(([part, us]) => `${part} ${us.toFixed(0)}`);
    console.log(`  CPU us per answer: ${parts.join(', ')}`);
    const memory = Object.entries(rssMiB).map(([part, mib]) => `${part} ${mib}`);
    console.log(`  MiB: ${memory.join(', ')}`);
    for (const reason of reasons) console.log(`  ${reason}`);
  }
}

export function printEvents(when: string, { count, p50Ms, p95Ms, stale }: EventFigures): void {
  const latencies = `p50 ${p50Ms.toFixed(1)} ms, p95 ${p95Ms.toFixed(1)} ms`;
  console.log(
    `Click to changed answer ${when}, ${count} times: ${latencies}; ${stale} answers without what was acknowledged`,
  );
}

export function printPromotions({ promotionMs, rollbackMs, errors }: PromotionFigures): void {
  const list = (times: readonly number[]): string => times.map((ms) => ms.toFixed(0)).join(' and ');
  console.log(
    `Promotion in effect after ${list(promotionMs)} ms, rollback after ${list(rollbackMs)} ms; ${errors} requests failed`,
  );
}
