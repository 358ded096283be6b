import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Starts to watch this process's resident set, after a collection where node runs with --expose-gc. The function returned
 * gives the most bytes since then above those at the start. Linux keeps that peak by itself and lets it start anew; elsewhere
 * it is the peak since the process began.
 */
export function watchPeakMemory(): () => number {
  globalThis.gc?.();
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or not allowed: the peak so far then counts.
  }
  const before = process.memoryUsage.rss();
  return () => Math.max(0, readPeakBytes() - before);
}

function readPeakBytes(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
