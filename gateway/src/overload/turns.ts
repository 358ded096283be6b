/** So many operations use up a core. What more of them hold while they wait for it, V8 would copy again and again. */
const AT_ONCE = 64;

/**
 * Begins operations at once, or, while the event loop is busy all the time, when one of sixty-four that run has ended. As soon
 * as the loop idles all that wait begin: it is something else that they would wait for.
 */
export class Turns {
  readonly #isBusy: () => boolean;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(isBusy: () => boolean) {
    this.#isBusy = isBusy;
  }

  /** Calls `begin` now or later. What is returned must be called once when it has ended, or is not wanted any more. */
  take(begin: () => void): () => void {
    if (this.#running < AT_ONCE || !this.#isBusy()) {
      this.#run(begin);
      return this.#end;
    }
    this.#waiting.add(begin);
    return () => {
      if (!this.#waiting.delete(begin)) this.#end();
    };
  }

  /** To be called whenever the loop may have become idle. */
  check(): void {
    if (this.#isBusy()) return;
    for (const begin of this.#waiting) this.#beginNext(begin);
  }

  readonly #end = (): void => {
    this.#running -= 1;
    const [next] = this.#waiting;
    if (next !== undefined && this.#running < AT_ONCE) this.#beginNext(next);
  };

  #beginNext(begin: () => void): void {
    this.#waiting.delete(begin);
    this.#run(begin);
  }

  #run(begin: () => void): void {
    this.#running += 1;
    begin();
  }
}
