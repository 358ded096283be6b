import { AppError } from '@kindred/domain/app-error';

/** How one call to a subgraph went: `ABANDONED` when nobody waited for it any more. */
export type CallOutcome = 'ANSWERED' | 'FAILED' | 'ABANDONED';

const WINDOW_MS = 10_000;
/** Fewer calls say nothing of a subgraph. */
const MIN_CALLS = 20;
const MAX_FAILED_SHARE = 0.5;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 15_000;
/** Each call earns this much of a retry: retries add at most a tenth to the load of a subgraph that struggles. */
const RETRY_PER_CALL = 0.1;
const MAX_SAVED_RETRIES = 20;

/**
 * Spares a subgraph that fails, and its callers the wait: when half of the last 10 s's calls failed, calls are refused
 * for a pause that doubles each time, after which one call at a time tries whether it answers again. Retries are paid
 * from a budget.
 */
export class CircuitBreaker {
  readonly #now: () => number;
  #windowStart: number;
  #calls = 0;
  #failures = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #openUntil = 0;
  #isOpen = false;
  #isTrying = false;
  #retries = MAX_SAVED_RETRIES;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#windowStart = now();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Every call that it admits must `settle`. @throws AppError UNAVAILABLE while the subgraph is spared */
  admit(): void {
    if (this.#isOpen) {
      if (this.#isTrying || this.#now() < this.#openUntil) {
        throw new AppError('UNAVAILABLE', 'A part of the graph does not answer now; try again.');
      }
      this.#isTrying = true;
    }
    this.#retries = Math.min(MAX_SAVED_RETRIES, this.#retries + RETRY_PER_CALL);
  }

  settle(outcome: CallOutcome): void {
    if (this.#isTrying) this.#settleTrial(outcome);
    else if (!this.#isOpen && outcome !== 'ABANDONED') this.#count(outcome);
  }

  /** Whether the budget has a retry left, which is then spent. */
  takeRetry(): boolean {
    if (this.#isOpen || this.#retries < 1) return false;
    this.#retries -= 1;
    return true;
  }

  #settleTrial(outcome: CallOutcome): void {
    this.#isTrying = false;
    if (outcome === 'ABANDONED') return;
    if (outcome === 'FAILED') {
      this.#pauseMs = Math.min(MAX_PAUSE_MS, this.#pauseMs * 2);
      this.#openUntil = this.#now() + this.#pauseMs;
      return;
    }
    this.#isOpen = false;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#begin();
  }

  #count(outcome: CallOutcome): void {
    if (this.#now() - this.#windowStart > WINDOW_MS) this.#begin();
    this.#calls += 1;
    if (outcome === 'FAILED') this.#failures += 1;
    if (this.#calls < MIN_CALLS || this.#failures < this.#calls * MAX_FAILED_SHARE) return;
    this.#isOpen = true;
    this.#openUntil = this.#now() + this.#pauseMs;
  }

  #begin(): void {
    this.#windowStart = this.#now();
    this.#calls = 0;
    this.#failures = 0;
  }
}
