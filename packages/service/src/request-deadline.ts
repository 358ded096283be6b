/** The header with which the gateway says how long it still waits for this answer, in whole milliseconds. */
export const TIMEOUT_HEADER = 'x-kindred-timeout-ms';

// Longer than any operation of the gateway: what asks for more means "no hurry".
const LONGEST_MS = 600_000;

/**
 * When the caller stops waiting, on this process's monotonic clock (`performance.now()`); null when the header is
 * missing or no whole number of milliseconds. A duration, not an instant: two machines' clocks need not agree.
 */
export function readDeadline(header: string | undefined, nowMs: number): number | null {
  if (header === undefined || !/^\d{1,9}$/.test(header)) return null;
  return nowMs + Math.min(Number(header), LONGEST_MS);
}
