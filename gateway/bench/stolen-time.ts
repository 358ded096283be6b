import { readFileSync } from 'node:fs';

const STOLEN_COLUMN = 8;

/** How much of the cores' time the host of this machine has given to others, in ticks, and how much there was; none where nobody says. */
function readTicks(): { stolen: number; all: number } {
  try {
    const [, ...ticks] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/\s+/).map(Number) ?? [];
    return {
      stolen: ticks[STOLEN_COLUMN - 1] ?? 0,
      all: ticks.slice(0, STOLEN_COLUMN).reduce((sum, value) => sum + value, 0),
    };
  } catch {
    return { stolen: 0, all: 0 };
  }
}

/** What gives the percentage of the cores' time that the host of this machine took since then; NaN where nobody says. */
export function createStolenPercent(): () => number {
  const before = readTicks();
  return () => {
    const { stolen, all } = readTicks();
    return ((stolen - before.stolen) / (all - before.all)) * 100;
  };
}
