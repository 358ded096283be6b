import type { TopicSubscription } from './event-bus.ts';
import { openInbox } from './inbox.ts';

/** What a stream must know of its events: their place in line, and which is the last. */
export interface SequencedEvent {
  sequence: number;
  body: { kind: string };
}

/** Where the events of a run or a job come from. */
export interface ProgressSource<Event extends SequencedEvent> {
  /** The stored events after a sequence in order, at most a page of them; empty when there are none yet. */
  readAfter: (sequence: number) => Promise<Event[]>;
  /** Live messages from the moment of the call, each an event as JSON; some may be lost or come twice. */
  subscribe: (signal: AbortSignal) => TopicSubscription;
  /** How long to wait for a live message before the store is looked into again. */
  recheckMs: number;
  /** Whether there is nothing to wait for: the run has ended and its last event was seen. */
  isOver: boolean;
  /** Ends the stream. */
  signal: AbortSignal;
}

/**
 * The events after `afterSequence` in order, without gaps and repeats, first the stored ones, then live; ends behind
 * FINISHED. Live messages only say that there is something new where they do not continue what was sent: what is missing
 * is read from the store, and the store is read again from time to time in case a message was lost.
 */
export function streamProgress<Event extends SequencedEvent>(
  source: ProgressSource<Event>,
  afterSequence: number,
): AsyncIterableIterator<Event> {
  const closing = new AbortController();
  const events = follow(source, afterSequence, AbortSignal.any([closing.signal, source.signal]));
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

async function* follow<Event extends SequencedEvent>(
  { readAfter, subscribe, recheckMs, isOver }: ProgressSource<Event>,
  afterSequence: number,
  signal: AbortSignal,
): AsyncGenerator<Event, undefined> {
  if (isOver) {
    return;
  }
  const inbox = openInbox(subscribe, { recheckMs, signal });
  await inbox.ready;
  let last = afterSequence;
  for (let behind = true; !signal.aborted; ) {
    const message: string | null = behind ? null : await inbox.next();
    const live: Event | null = message === null ? null : JSON.parse(message);
    const fresh: Event[] | null = behind ? await readAfter(last) : continuation(live, last);
    for (const event of fresh ?? []) {
      last = event.sequence;
      yield event;
      if (event.body.kind === 'FINISHED') {
        return;
      }
    }
    behind = fresh === null || (behind && fresh.length > 0);
  }
}

/** What the event adds behind `last`: itself where it is next in line, nothing where it is old, else null for a gap. */
function continuation<Event extends SequencedEvent>(event: Event | null, last: number): Event[] | null {
  if (event === null) {
    return null;
  }
  if (event.sequence <= last) {
    return [];
  }
  return event.sequence === last + 1 ? [event] : null;
}
