import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks `check` until it says yes.
 * @throws Error with the last reason when `timeoutMs` passes first, and the reason of `signal` when it aborts.
 */
export async function waitUntil(
  check: () => Promise<boolean>,
  options: { what: string; timeoutMs: number; intervalMs?: number; signal?: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  let lastReason = '';
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      if (await check()) return;
    } catch (error) {
      lastReason = `: ${error instanceof Error ? error.message || String(error) : String(error)}`;
    }
    if (performance.now() > deadline) {
      throw new Error(`${options.what} was not ready within ${options.timeoutMs} ms${lastReason}`);
    }
    await sleep(options.intervalMs ?? 100, undefined, options.signal ? { signal: options.signal } : {});
  }
}
