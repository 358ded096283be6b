const LOCALE = 'en-US';
const INTEGER = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumFractionDigits: 1 });
const DATE_TIME = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' });
const CLOCK = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
const RELATIVE = new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' });

/** `100,836`. */
export function formatCount(value: number): string {
  return INTEGER.format(value);
}

/** A setting as short as it can be told without being wrong in what matters: `0.001177`, `1,024`, `3`. */
export function formatSetting(value: number): string {
  return Number.isInteger(value) ? INTEGER.format(value) : Number(value.toPrecision(4)).toString();
}

/** `1.2M`. */
export function formatCompact(value: number): string {
  return COMPACT.format(value);
}

/** A metric of 0-1 with four places, as papers print them: `0.1554`. */
export function formatMetric(value: number): string {
  return value.toFixed(4);
}

/** A share of 0-1 as a percentage with one place: `12.3%`. */
export function formatShare(value: number): string {
  return `${(value * 100).toFixed(1)}%`;
}

/** How `value` compares with `base`: `+38%`, `−20%`, from four times on `19×`; null when `base` is not positive. */
export function formatLift(value: number, base: number): string | null {
  if (!(base > 0) || !Number.isFinite(value)) return null;
  if (value >= base * 4) return `${INTEGER.format(value / base)}×`;
  const lift = Math.round((value / base - 1) * 100);
  return `${lift < 0 ? '−' : '+'}${INTEGER.format(Math.abs(lift))}%`;
}

/** A loss with as many places as its size asks for: `6.482`, `0.0731`, `0.00412`. */
export function formatLoss(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 1 ? value.toFixed(3) : value.toPrecision(3);
}

/** `0.8 s`, `12 s`, `3 min 20 s`, `1 h 5 min`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A stage's time: `0.42 ms`, `3.1 ms`, `120 ms`. */
export function formatMilliseconds(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** `Nov 23, 2026, 5:00 PM`, in the reader's time zone. */
export function formatDateTime(iso: string): string {
  return DATE_TIME.format(new Date(iso));
}

/** `17:00:04`, in the reader's time zone. */
export function formatClock(iso: string): string {
  return CLOCK.format(new Date(iso));
}

/** `just now`, `5 minutes ago`, `yesterday`. */
export function formatAgo(iso: string, now: number): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1000);
  const size = Math.abs(seconds);
  if (size < 45) return 'just now';
  if (size < 3600) return RELATIVE.format(Math.round(seconds / 60), 'minute');
  if (size < 86_400) return RELATIVE.format(Math.round(seconds / 3600), 'hour');
  if (size < 86_400 * 30) return RELATIVE.format(Math.round(seconds / 86_400), 'day');
  return DATE_TIME.format(new Date(iso));
}

/** `1 epoch`, `2 epochs`. */
export function formatPlural(count: number, noun: string): string {
  return `${INTEGER.format(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** The first character in upper case, one outside the basic plane whole: `É`, `🎬`. */
export function firstLetter(text: string): string {
  return String.fromCodePoint(text.codePointAt(0) ?? 0x20).toUpperCase();
}

/** `640 B`, `12.3 KB`, `1.2 MB`, in powers of 1,000. */
export function formatBytes(bytes: number): string {
  const [unit, size] = bytes < 1_000 ? ['B', 1] : bytes < 1_000_000 ? ['KB', 1_000] : ['MB', 1_000_000];
  return `${size === 1 ? bytes : (bytes / size).toFixed(1)} ${unit}`;
}
