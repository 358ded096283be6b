import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Starts to watch this process's resident set, after a collection where node runs with --expose-gc. The function returned
 * gives the most bytes since then above those at the start. Linux keeps that peak by itself and lets it start anew; elsewhere
 * it is the peak since the process began. Without `files` no pages of files count, the program's own for one, which Linux
 * takes away and brings back as it likes: for what a few megabytes would blur.
 */
export function watchPeakMemory({ files = true } = {}): () => number {
  globalThis.gc?.();
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux, or not allowed: the peak so far then counts.
  }
  const before = readMemory();
  return () => {
    const after = readMemory();
    const fileBytes = files ? 0 : after.fileBytes - before.fileBytes;
    return Math.max(0, after.peakBytes - before.residentBytes - fileBytes);
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
