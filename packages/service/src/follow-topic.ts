import { setTimeout as sleep } from 'node:timers/promises';
import type { EventBus } from './event-bus.ts';

const RETRY_AFTER_MS = 500;

/**
 * Hears a topic until `signal` aborts, beginning anew whenever the connection breaks. `onBegin` is called when nothing
 * that is published from then on will be missed, `onLost` (with its cause) when something may have been.
 */
export async function followTopic(
  events: EventBus,
  {
    topic,
    signal,
    ...on
  }: {
    topic: string;
    signal: AbortSignal;
    onBegin: () => void;
    onMessage: (message: string) => void;
    onLost: (cause: unknown) => void;
  },
): Promise<void> {
  while (!signal.aborted) {
    try {
      const messages = events.subscribe(topic, signal);
      await messages.ready;
      on.onBegin();
      for await (const message of messages) on.onMessage(message);
    } catch (cause) {
      on.onLost(cause);
    }
    await sleep(RETRY_AFTER_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
