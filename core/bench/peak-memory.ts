import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Starts to watch this process's memory, after a collection where node runs with --expose-gc. The function returned gives the
 * most bytes since then above those at the start. On Linux, which keeps that peak by itself and lets it start anew,
 * pages of files do not count: the system takes them away and brings them back as it likes. Elsewhere it is the peak of
 * the resident set since the process began.
 */
export function watchPeakMemory(): () => number {
  globalThis.gc?.();
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or not allowed: the peak so far then counts.
  }
  const before = readMemory();
  return () => {
    const after = readMemory();
    return Math.max(0, after.peakBytes - after.fileBytes - (before.residentBytes - before.fileBytes));
  };
}

function readMemory(): { peakBytes: number; residentBytes: number; fileBytes: number } {
  const status = readStatus();
  const read = (name: string) => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  };
  return {
    peakBytes: read('VmHWM') ?? process.resourceUsage().maxRSS * 1024,
    residentBytes: read('VmRSS') ?? process.memoryUsage.rss(),
    fileBytes: read('RssFile') ?? 0,
  };
}

function readStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}
