/** How many operations may be under way at once: as many as the event loop keeps up with. */
export interface LoadLimit {
  /** Whether one more may begin; whoever began must `end`. */
  begin(): boolean;
  end(): void;
  /** To be called every `CHECK_MS`. */
  check(): void;
  stats(): { underWay: number; limit: number; shed: number };
}

export const CHECK_MS = 20;
/** A loop that comes this much later than it was to has more to do than it can: an operation takes several turns of it. */
const LATE_MS = 50;
/** A collection of garbage, or a document that is compiled, makes a loop late for less. */
const PATIENCE_MS = 500;
/** So many take 50 ms together: fewer would not use up a core. */
const LEAST = 128;
const MOST = 10_000;
const LESS = 0.9;
const MORE = 1.1;

/**
 * While the event loop is late for longer than half a second, fewer operations may be under way, down to 128; while it is
 * not, more. What a slow subgraph keeps waiting does not make the loop late, and is not held against it.
 */
export function createLoadLimit(now: () => number = () => performance.now()): LoadLimit {
  let limit = MOST;
  let underWay = 0;
  let mostUnderWay = 0;
  let shed = 0;
  let checkedAt = now();
  let inTimeAt = checkedAt;

  const adapt = (at: number, isLate: boolean): void => {
    if (!isLate) {
      inTimeAt = at;
      if (mostUnderWay >= limit) limit = Math.min(MOST, Math.ceil(limit * MORE));
    } else if (at - inTimeAt > PATIENCE_MS) {
      limit = Math.max(LEAST, Math.floor(Math.min(limit, mostUnderWay) * LESS));
    }
  };
  return {
    begin: () => {
      if (underWay >= limit) {
        mostUnderWay = limit;
        shed += 1;
        return false;
      }
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      return true;
    },
    end: () => {
      underWay -= 1;
    },
    check: () => {
      const at = now();
      adapt(at, at - checkedAt - CHECK_MS > LATE_MS);
      checkedAt = at;
      mostUnderWay = underWay;
    },
    stats: () => ({ underWay, limit, shed }),
  };
}
