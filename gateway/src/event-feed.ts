import type { FormattedExecutionResult } from 'graphql';
import { Deadline } from './context.ts';
import type { StreamEvent } from './event-stream-reader.ts';
import type { UpstreamEvents, UpstreamListener } from './upstream-events.ts';

export interface EventFeedOptions {
  open(signal: AbortSignal, listener: UpstreamListener): Pick<UpstreamEvents, 'ask'>;
  /** What other subgraphs add to it, in its time. */
  complete(event: StreamEvent, time: Deadline): Promise<FormattedExecutionResult>;
  /** What they are told last when the upstream fails. */
  failureOf(error: unknown): FormattedExecutionResult;
  /** Undefined where it has none, or where none of its results has. */
  sequenceOf(result: FormattedExecutionResult): number | undefined;
}

/** One result, written once for all who follow. */
export interface FeedResult {
  /** The result as JSON. */
  text: string;
  sequence: number | undefined;
}

/** A place in a feed, of one who reads it. */
export interface FeedPlace {
  /** The feed's result that is read next, counted from its first. */
  index: number;
  /** What was read up to here elsewhere: not read again. */
  readTo: number;
}

/** What is kept for readers that are behind. */
const MOST_KEPT = 64;
const MOST_KEPT_CHARS = 1024 * 1024;
/** A reader alone is never behind; this is for those who come. */
const KEPT_FOR_ONE = 4;

/**
 * The results of one upstream subscription for all who read it, each from a place of their own. The next event is read
 * and completed, once, when the first of them has taken all there is; whoever is further behind than what is kept has to
 * go on elsewhere. The upstream ends with the last reader.
 */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #abort = new AbortController();
  readonly #upstream: Pick<UpstreamEvents, 'ask'>;
  readonly #waiting = new Set<() => void>();
  #kept: FeedResult[] = [];
  #keptChars = 0;
  /** The index of the first that is kept. */
  #from = 0;
  #readers = 0;
  /** Of the event that is completed. */
  #time: Deadline | undefined;
  #isAsking = false;
  #hasEnded = false;

  constructor(options: EventFeedOptions) {
    this.#options = options;
    this.#upstream = options.open(this.#abort.signal, {
      onEvent: (event) => void this.#complete(event),
      onEnd: (failure) => this.#endWith(failure),
    });
  }

  /** Nothing comes any more but what is kept. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  enter(): void {
    this.#readers += 1;
  }

  leave(): void {
    this.#readers -= 1;
    if (this.#readers > 0) return;
    this.#hasEnded = true;
    this.#abort.abort();
    this.#time?.abort();
  }

  /** Where one goes on who read all up to a sequence elsewhere; undefined where some of what comes next is not kept, and after the end. */
  placeAfter(sequence: number): FeedPlace | undefined {
    const first = this.#kept.find((result) => result.sequence !== undefined);
    if (this.#hasEnded || first?.sequence === undefined || first.sequence > sequence + 1) return undefined;
    const next = this.#kept.findIndex((result) => result.sequence !== undefined && result.sequence > sequence);
    return { index: this.#from + (next === -1 ? this.#kept.length : next), readTo: sequence };
  }

  /** Whether the place is before all that is kept. */
  hasLost({ index }: FeedPlace): boolean {
    return index < this.#from;
  }

  /** The result at a place; undefined where it is not there yet. */
  at({ index }: FeedPlace): FeedResult | undefined {
    return this.#kept[index - this.#from];
  }

  /** Has the next event read. Calls `wake` once, when there is one, or the feed has ended. */
  wait(wake: () => void): void {
    this.#waiting.add(wake);
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#upstream.ask();
  }

  /** No longer calls it. */
  forget(wake: () => void): void {
    this.#waiting.delete(wake);
  }

  async #complete(event: StreamEvent): Promise<void> {
    using time = new Deadline();
    this.#time = time;
    try {
      this.#keep(await this.#options.complete(event, time));
    } catch (error) {
      this.#fail(error);
    }
    this.#time = undefined;
    this.#wakeAll();
  }

  #endWith(failure: Error | undefined): void {
    if (failure !== undefined) this.#fail(failure);
    this.#hasEnded = true;
    this.#wakeAll();
  }

  #fail(error: unknown): void {
    // When the last reader has left, its abort is no failure.
    if (!this.#hasEnded) this.#keep(this.#options.failureOf(error));
    this.#hasEnded = true;
  }

  #wakeAll(): void {
    this.#isAsking = false;
    const woken = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of woken) wake();
  }

  #keep(result: FormattedExecutionResult): void {
    const kept = { text: JSON.stringify(result), sequence: this.#options.sequenceOf(result) };
    this.#kept.push(kept);
    this.#keptChars += kept.text.length;
    const most = this.#readers > 1 ? MOST_KEPT : KEPT_FOR_ONE;
    while (this.#kept.length > most || (this.#keptChars > MOST_KEPT_CHARS && this.#kept.length > 1)) {
      this.#keptChars -= this.#kept.shift()?.text.length ?? 0;
      this.#from += 1;
    }
  }
}
