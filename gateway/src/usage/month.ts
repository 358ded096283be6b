const DAY_MS = 86_400_000;

let day = { number: -1, text: '' };

/** The day in UTC, as `2026-11-26`; its first seven characters are the month. */
export function dayOf(nowMs: number): string {
  const number = Math.floor(nowMs / DAY_MS);
  if (number !== day.number) day = { number, text: new Date(nowMs).toISOString().slice(0, 10) };
  return day.text;
}

export function monthOf(nowMs: number): string {
  return dayOf(nowMs).slice(0, 7);
}

export function secondsToNextMonth(nowMs: number): number {
  const now = new Date(nowMs);
  return Math.ceil((Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1) - nowMs) / 1000);
}
