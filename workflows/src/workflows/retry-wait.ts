/** How much longer than its step of the schedule a wait may be, so that what failed together is not tried together. */
const JITTER = 0.2;

/** No target makes us wait longer than this before an attempt, in milliseconds. */
const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1_000;

/**
 * How long to wait before the next attempt, in milliseconds: the step of the schedule and up to a fifth more, or as long as
 * the target asked for if that is longer, up to a day.
 * @param random in [0, 1)
 */
export function nextWaitMs(
  stepMs: number,
  { retryAfterMs, random }: { retryAfterMs: number | null; random: number },
): number {
  const jittered = Math.round(stepMs * (1 + JITTER * random));
  return Math.max(jittered, Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}
