/** The header that tells a subgraph how many milliseconds its caller still waits. */
export const TIMEOUT_HEADER = 'x-kindred-timeout-ms';

// The longest that a timer of Node runs; longer ones fire at once.
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A signal that aborts when the caller no longer waits; undefined where it names no time. */
export function readTimeout(header: string | undefined): AbortSignal | undefined {
  const timeoutMs = Number(header ?? Number.NaN);
  return timeoutMs > 0 && timeoutMs <= MAX_TIMER_MS ? AbortSignal.timeout(timeoutMs) : undefined;
}
