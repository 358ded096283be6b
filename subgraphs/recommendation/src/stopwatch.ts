/** The stages of an answer, in their order. */
export type Stage = 'admission' | 'version' | 'user' | 'filter' | 'search' | 'rank';

/** How long each stage took, in milliseconds; 0 for one that was not needed. */
export type Timing = Record<`${Stage}Ms`, number> & { totalMs: number; cached: boolean };

/** Times one answer. */
export class Stopwatch {
  readonly #startedAt = performance.now();
  #lastAt = this.#startedAt;
  readonly #timing: Timing = {
    admissionMs: 0,
    versionMs: 0,
    userMs: 0,
    filterMs: 0,
    searchMs: 0,
    rankMs: 0,
    totalMs: 0,
    cached: false,
  };

  /** What passed since the last stage ended was this one. */
  finish(stage: Stage): void {
    const now = performance.now();
    this.#timing[`${stage}Ms`] += now - this.#lastAt;
    this.#lastAt = now;
  }

  /** The ranking came from memory. */
  markCached(): void {
    this.#timing.cached = true;
  }

  end(): Timing {
    this.finish('rank');
    this.#timing.totalMs = this.#lastAt - this.#startedAt;
    return this.#timing;
  }
}
