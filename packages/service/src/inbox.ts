import { setTimeout } from 'node:timers/promises';
import type { TopicSubscription } from './event-bus.ts';

/** Live messages whose loss is noticed. */
export interface Inbox {
  /** Resolves once nothing that is said later is missed, or it is clear that live messages cannot be had now. */
  ready: Promise<void>;
  /** The next message; null where something may have been missed or nothing came in time: read the truth again. */
  next(): Promise<string | null>;
}

const RESUBSCRIBE_AFTER_MS = 1000;

/** Subscribes at once, and anew whenever the subscription is lost, until the signal is aborted. */
export function openInbox(
  subscribe: (signal: AbortSignal) => TopicSubscription,
  { recheckMs, signal }: { recheckMs: number; signal: AbortSignal },
): Inbox {
  let subscription = subscribe(signal);
  let messages = subscription[Symbol.asyncIterator]();
  let arriving: Promise<IteratorResult<string, unknown>> | null = null;
  const ready = () => subscription.ready.catch(() => {});
  const subscribeAnew = async () => {
    await setTimeout(RESUBSCRIBE_AFTER_MS, null, { signal }).catch(() => null);
    subscription = subscribe(signal);
    messages = subscription[Symbol.asyncIterator]();
    arriving = null;
    await ready();
  };
  return {
    ready: ready(),
    async next() {
      // The bus fails a subscription that may have lost messages; the reader gets them from the store.
      arriving ??= messages.next().catch(() => ({ done: true, value: undefined }));
      const result = await within(arriving, recheckMs, signal);
      if (result?.done === true && !signal.aborted) {
        await subscribeAnew();
      }
      if (result === null || result.done === true) {
        return null;
      }
      arriving = null;
      return result.value;
    },
  };
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
