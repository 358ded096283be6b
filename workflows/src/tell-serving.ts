import { publishOutbox } from '@kindred/db/outbox';
import type { TenantId } from '@kindred/domain/ids';
import type { EventDeps } from './record-event.ts';

/** Passes on what a transaction noted. Without Redis the work goes on: the word stays in the outbox, which the relay looks through. */
export async function tellServing({ db, events, logger }: EventDeps, tenantId: TenantId): Promise<void> {
  try {
    await publishOutbox(db, tenantId, (topic, message) => events.publish(topic, message));
  } catch (err) {
    logger.warn({ err, tenantId }, 'A promotion was not announced yet; its word stays in the outbox.');
  }
}
