export interface Axis {
  ticks: number[];
  /** How many decimals tell the ticks apart. */
  decimals: number;
}

const STEPS = [1, 2, 2.5, 5, 10];

/** About `count` round values from at or below `low` to at or above `high`. */
export function valueAxis(low: number, high: number, count = 5): Axis {
  const span = high > low ? high - low : Math.abs(high) || 1;
  const rough = span / count;
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = (STEPS.find((multiple) => multiple * size >= rough * 0.999) ?? 10) * size;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
  const decimals = Math.max(0, ...ticks.map((tick) => decimalsOf(tick)));
  return { ticks, decimals };
}

/** The epochs that an axis from 1 to `end` names: 1, and round numbers after it. */
export function epochTicks(end: number): number[] {
  if (end <= 6) return Array.from({ length: end }, (_, at) => at + 1);
  const { ticks } = valueAxis(0, end, 5);
  const inner = ticks.filter((tick) => tick > 1 && tick <= end && Number.isInteger(tick));
  return [1, ...inner];
}

function decimalsOf(value: number): number {
  return (String(value).split('.')[1] ?? '').length;
}
