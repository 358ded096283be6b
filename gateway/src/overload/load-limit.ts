import { Askers } from './askers.ts';
import { Room } from './room.ts';

/** How many operations may be under way at once: as many as the event loop keeps up with. */
export interface LoadLimit {
  /** Whether one more may begin, of a connection that nobody else counts; whoever began must `end`. */
  begin(connection?: object): boolean;
  end(): void;
  /** To be called every `CHECK_MS`. */
  check(): void;
  stats(): { underWay: number; limit: number; shed: number };
}

/** Who refuses what does not come as far as the limit. */
interface Doorkeeper {
  /** Is told whenever it changes. */
  setFull(isFull: boolean): void;
  /** How many were refused since the start. */
  readonly refused: number;
  /** Of how many connections, which are not told to the limit, something came since this was asked before. */
  takeAsked(): number;
}

interface LimitOptions {
  doorkeeper: Doorkeeper;
  /** How much of the time since it was last asked the loop was busy, in [0, 1]. */
  readBusyShare: () => number;
  now: () => number;
}

export const CHECK_MS = 20;
/** Over how long what a loop does is looked at: a collection of garbage, or a document that is compiled, takes less. */
const LOOK_BACK_MS = 250;
/** An event loop that idles less than this has more to do than it can. */
const BUSY_SHARE = 0.97;
/** After one has idled more than this for so long, a load is over. */
const CALM_SHARE = 0.9;
const CALM_MS = 250;
/**
 * Of no more than so many each waits no longer than people notice: a busy loop is not overloaded yet. Nor is it where so few
 * connections ask, again and again since they are refused: to refuse them takes more than to serve them.
 */
const ENOUGH = 128;
/** So many use up a core. What more of them hold while they wait for it V8 copies, again and again. */
const LEAST = 112;
const MOST = 10_000;
const LESS = 0.9;
const MORE = 1.1;
const NOBODY: Doorkeeper = { setFull: () => {}, refused: 0, takeAsked: () => 0 };

/**
 * While the event loop has been busy for most of a second with more than 128 operations, fewer may be under way, down to
 * 112, which come in together; while it idles now and then, more as they are asked for; once it has idled a tenth of the
 * time for a while, or no more than 128 connections ask, as many as come. What a slow subgraph keeps waiting does not keep
 * the loop busy, and is not held against it.
 */
export function createLoadLimit({
  doorkeeper = NOBODY,
  readBusyShare = createBusyShare(),
  now = () => performance.now(),
}: Partial<LimitOptions> = {}): LoadLimit {
  let limit = MOST;
  let underWay = 0;
  let mostUnderWay = 0;
  let shed = 0;
  let refusedAtDoor = 0;
  let checkedAt = now();
  let busyAt = checkedAt;
  // Of the time before, what is long ago counting less and less.
  let busyShare = 0;
  const room = new Room((isFull) => doorkeeper.setFull(isFull));
  const askers = new Askers(LOOK_BACK_MS, checkedAt, () => doorkeeper.takeAsked());

  const adapt = (): void => {
    if (busyShare > CALM_SHARE) busyAt = checkedAt;
    if (askers.count(checkedAt, mostUnderWay) <= ENOUGH) limit = MOST;
    const isTooMuch = limit < MOST || mostUnderWay > ENOUGH;
    if (busyShare > BUSY_SHARE && isTooMuch) {
      if (limit === MOST) askers.startOver(checkedAt);
      limit = Math.max(LEAST, Math.floor(Math.min(limit, mostUnderWay) * LESS));
    } else if (checkedAt - busyAt > CALM_MS) {
      limit = MOST;
    } else if (mostUnderWay >= limit) {
      limit = Math.min(MOST, Math.ceil(limit * MORE));
    }
  };
  const updateRoom = () => room.update(underWay, limit);
  return {
    begin: (connection) => {
      if (connection !== undefined && limit < MOST) askers.note(connection);
      if (room.isFull) {
        mostUnderWay = limit;
        shed += 1;
        return false;
      }
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      updateRoom();
      return true;
    },
    end: () => {
      underWay -= 1;
      updateRoom();
    },
    check: () => {
      const at = now();
      busyShare += (readBusyShare() - busyShare) * (1 - Math.exp((checkedAt - at) / LOOK_BACK_MS));
      checkedAt = at;
      if (doorkeeper.refused > refusedAtDoor) mostUnderWay = limit;
      refusedAtDoor = doorkeeper.refused;
      adapt();
      mostUnderWay = underWay;
      updateRoom();
    },
    stats: () => ({ underWay, limit, shed: shed + doorkeeper.refused }),
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
