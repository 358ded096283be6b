/** How soon after one round the next begins: no time for who watches, and enough for others to come. */
const BETWEEN_MS = 5;

/**
 * Lets events pass in rounds. One that comes alone passes at once; those that come within a few milliseconds of a round wait
 * for the next, together: what they need from other subgraphs is then asked for in one request, and nobody is woken
 * for each of them.
 */
export class EventRounds {
  #waiting: PromiseWithResolvers<void> | undefined;
  #nextAt = -Infinity;

  /** Until the event may pass. */
  pass(): Promise<void> {
    if (this.#waiting !== undefined) return this.#waiting.promise;
    const waitMs = this.#nextAt - performance.now();
    if (waitMs <= 0) {
      this.#nextAt = performance.now() + BETWEEN_MS;
      return Promise.resolve();
    }
    this.#waiting = Promise.withResolvers();
    setTimeout(this.#begin, waitMs);
    return this.#waiting.promise;
  }

  readonly #begin = (): void => {
    this.#nextAt = performance.now() + BETWEEN_MS;
    this.#waiting?.resolve();
    this.#waiting = undefined;
  };
}
