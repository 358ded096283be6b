/** Counts the connections that ask, from one stretch of time to the next. */
export class Askers {
  readonly #stretchMs: number;
  readonly #takeOthers: () => number;
  readonly #connections = new Set<object>();
  #since: number;
  #before = Infinity;

  /** @param takeOthers how many asked since it was called before that are not noted here */
  constructor(stretchMs: number, at: number, takeOthers: () => number) {
    this.#stretchMs = stretchMs;
    this.#takeOthers = takeOthers;
    this.#since = at;
  }

  note(connection: object): void {
    this.#connections.add(connection);
  }

  /** Forgets who has asked so far: nobody can say how many do until two stretches are over. */
  startOver(at: number): void {
    this.#takeOthers();
    this.#begin(at, Infinity);
  }

  /** At the end of a stretch how many asked in it or in the one before, whichever were more; Infinity while nobody can say. */
  count(at: number, underWay: number): number {
    if (at - this.#since < this.#stretchMs) return Infinity;
    const asked = Math.max(this.#connections.size + this.#takeOthers(), underWay);
    const most = Math.max(asked, this.#before);
    this.#begin(at, asked);
    return most;
  }

  #begin(at: number, before: number): void {
    this.#connections.clear();
    this.#since = at;
    this.#before = before;
  }
}
