/** How many operations may be under way at once: as many as the event loop keeps up with. */
export interface LoadLimit {
  /** Whether one more may begin; whoever began must `end`. */
  begin(): boolean;
  /** Whether one that comes now is refused, which is counted. */
  sheds(): boolean;
  end(): void;
  /** To be called every `CHECK_MS`. */
  check(): void;
  /** Whether the event loop had no time to idle for longer than half a second. */
  isBusy(): boolean;
  stats(): { underWay: number; limit: number; shed: number };
}

export const CHECK_MS = 20;
/** An event loop that idles less than this has more to do than it can. */
const BUSY_SHARE = 0.98;
/** A collection of garbage, or a document that is compiled, keeps a loop busy for less. */
const PATIENCE_MS = 500;
/** So many use up a core, and wait no longer than people notice; with twice as many, V8 copies what they hold for a third of the time. */
const LEAST = 128;
const MOST = 10_000;
const LESS = 0.9;
const MORE = 1.1;

/**
 * While the event loop has been busy all the time for longer than half a second, fewer operations may be under way, down to
 * 128; while it idles, more, and after half a second without a busy moment as many as come. What a slow subgraph keeps
 * waiting does not keep the loop busy, and is not held against it.
 * @param readBusyShare how much of the time since it was last asked the loop was busy, in [0, 1]
 */
export function createLoadLimit(
  readBusyShare: () => number = createBusyShare(),
  now: () => number = () => performance.now(),
): LoadLimit {
  let limit = MOST;
  let underWay = 0;
  let mostUnderWay = 0;
  let shed = 0;
  let idleAt = now();
  let busyAt = Number.NEGATIVE_INFINITY;
  let isPressed = false;

  const adapt = (at: number, isBusy: boolean): void => {
    isPressed = isBusy && at - idleAt > PATIENCE_MS;
    if (!isBusy) {
      idleAt = at;
      if (at - busyAt > PATIENCE_MS) limit = MOST;
      else if (mostUnderWay >= limit) limit = Math.min(MOST, Math.ceil(limit * MORE));
      return;
    }
    busyAt = at;
    if (isPressed) {
      limit = Math.max(LEAST, Math.floor(Math.min(limit, mostUnderWay) * LESS));
    }
  };
  const sheds = (): boolean => {
    if (underWay < limit) return false;
    mostUnderWay = limit;
    shed += 1;
    return true;
  };
  return {
    sheds,
    begin: () => {
      if (sheds()) return false;
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      return true;
    },
    end: () => {
      underWay -= 1;
    },
    check: () => {
      adapt(now(), readBusyShare() > BUSY_SHARE);
      mostUnderWay = underWay;
    },
    isBusy: () => isPressed,
    stats: () => ({ underWay, limit, shed }),
  };
}

function createBusyShare(): () => number {
  let before = performance.eventLoopUtilization();
  return () => {
    const at = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(at, before);
    before = at;
    return utilization;
  };
}
