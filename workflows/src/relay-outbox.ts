import { setTimeout } from 'node:timers/promises';
import { findOutboxTenants, publishOutbox } from '@kindred/db/outbox';
import type { EventDeps } from './record-event.ts';

/** How often the outbox is looked through, and how old a word must be: its writer sends it itself within moments. */
const EVERY_MS = 5_000;

/** Sends what writers of the outbox did not live to send. */
export async function relayOutbox({ db, events, logger }: EventDeps, writtenBefore: Date): Promise<void> {
  try {
    for (const tenantId of await findOutboxTenants(db, writtenBefore)) {
      await publishOutbox(db, tenantId, (topic, message) => events.publish(topic, message));
    }
  } catch (err) {
    logger.warn({ err }, 'The outbox was not sent; it is looked through again.');
  }
}

/** Relays again and again until disposed of. */
export function startOutboxRelay(deps: EventDeps, everyMs = EVERY_MS): AsyncDisposable {
  return repeat(() => relayOutbox(deps, new Date(Date.now() - everyMs)), everyMs);
}

/** Does `work` again and again, with a pause before each time, until disposed of. */
export function repeat(work: () => Promise<void>, everyMs: number): AsyncDisposable {
  const stopping = new AbortController();
  const run = async () => {
    while (!stopping.signal.aborted) {
      await setTimeout(everyMs, null, { signal: stopping.signal }).catch(() => null);
      if (!stopping.signal.aborted) {
        await work();
      }
    }
  };
  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}
