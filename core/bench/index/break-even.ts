import type { EngineRow } from './measure-engine.ts';

/**
 * The number of vectors at which a search of `lists` takes as long as one of `exact`, between the two sizes where the order
 * of their CPU times changes, on a straight line between logarithms; null where it never does.
 */
export function findBreakEven(rows: readonly EngineRow[], exact: string, lists: string): number | null {
  const ratios = rows
    .filter(({ engine }) => engine === exact)
    .flatMap(({ size, cpuMs }) => {
      const other = rows.find((row) => row.engine === lists && row.size === size);
      return other ? [{ size: Math.log(size), ratio: Math.log(cpuMs / other.cpuMs) }] : [];
    })
    .toSorted((a, b) => a.size - b.size);
  for (const [at, upper] of ratios.entries()) {
    const lower = ratios[at - 1];
    if (!lower || lower.ratio > 0 || upper.ratio <= 0) continue;
    const share = -lower.ratio / (upper.ratio - lower.ratio);
    return Math.round(Math.exp(lower.size + share * (upper.size - lower.size)));
  }
  return null;
}
