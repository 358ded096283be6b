import { setTimeout } from 'node:timers/promises';
import type { TrainingEvent } from '@kindred/domain/training';

/** Where a run's events come from. */
export interface ProgressSource {
  /** The stored events after a sequence in order, at most a page of them; empty when there are none yet. */
  readAfter: (sequence: number) => Promise<TrainingEvent[]>;
  /** Live messages from the moment of the call, each a TrainingEvent as JSON; some may be lost or come twice. */
  subscribe: (signal: AbortSignal) => AsyncIterable<string>;
  /** How long to wait for a live message before the store is looked into again. */
  recheckMs: number;
}

/**
 * A run's events after `afterSequence` in order, without gaps and repeats, first the stored ones, then live; ends behind
 * FINISHED. Live messages only say that there is something new where they do not continue what was sent: what is missing
 * is read from the store, and the store is read again from time to time in case a message was lost.
 */
export function streamProgress(source: ProgressSource, afterSequence: number): AsyncIterableIterator<TrainingEvent> {
  const closing = new AbortController();
  const events = follow(source, afterSequence, closing.signal);
  return {
    next: () => events.next(),
    async return() {
      closing.abort();
      await events.return(undefined);
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* follow(
  { readAfter, subscribe, recheckMs }: ProgressSource,
  afterSequence: number,
  signal: AbortSignal,
): AsyncGenerator<TrainingEvent, undefined> {
  const live = subscribe(signal)[Symbol.asyncIterator]();
  let arriving = live.next();
  let last = afterSequence;
  try {
    for (let behind = true; !signal.aborted; ) {
      for (let page = behind ? await readAfter(last) : []; page.length > 0; page = await readAfter(last)) {
        for (const event of page) {
          last = event.sequence;
          yield event;
          if (event.body.kind === 'FINISHED') {
            return;
          }
        }
      }
      const message = await within(arriving, recheckMs, signal);
      if (message?.done) {
        return;
      }
      arriving = message === null ? arriving : live.next();
      const event = message === null ? null : (JSON.parse(message.value) as TrainingEvent);
      behind = event === null || event.sequence > last + 1;
      if (event !== null && event.sequence === last + 1) {
        last = event.sequence;
        yield event;
        if (event.body.kind === 'FINISHED') {
          return;
        }
      }
    }
  } finally {
    await live.return?.();
  }
}

/** What the promise holds, or null when it takes longer than that or the signal is aborted. */
async function within<T>(promise: Promise<T>, durationMs: number, signal: AbortSignal): Promise<T | null> {
  const done = new AbortController();
  const waiting = setTimeout(durationMs, null, { signal: AbortSignal.any([signal, done.signal]) });
  try {
    return await Promise.race([promise, waiting.catch(() => null)]);
  } finally {
    done.abort();
  }
}
