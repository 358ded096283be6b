import type { TenantId, WebhookEventId, WebhookId } from '@kindred/domain/ids';
import { newId } from '@kindred/domain/ids';
import type { WebhookEventData, WebhookEventType } from '@kindred/domain/webhook-events';
import type { Db } from './client.ts';
import { WEBHOOK_TOPIC } from './outbox.ts';
import { type TenantTx, withTenant } from './tenants.ts';

/** How long an event can be sent again, and how long its attempts are shown. */
const KEPT_DAYS = 30;
const BATCH_SIZE = 100;

/** An event as every webhook is told it. */
export interface WebhookEventRow {
  id: WebhookEventId;
  type: WebhookEventType;
  at: Date;
  data: object;
}

/**
 * Notes an event in the transaction of what it tells, to be sent if and only if that happened. A tenant without a webhook that
 * works has nobody to tell: nothing is kept then.
 */
export async function appendWebhookEvent<Type extends WebhookEventType>(
  tx: TenantTx,
  type: Type,
  data: WebhookEventData[Type],
): Promise<void> {
  await tx.client
    .$queryRaw`SELECT webhook_event_append(${newId('WebhookEvent')}::uuid, ${type}, ${JSON.stringify(data)}::jsonb)`;
}

/** Keeps an event that is sent to one webhook at once, by whoever calls this. */
export async function createWebhookEvent<Type extends WebhookEventType>(
  tx: TenantTx,
  event: { id: WebhookEventId; type: Type; at: Date; data: WebhookEventData[Type] },
): Promise<void> {
  await tx.client.webhookEvent.create({ data: { ...event, tenantId: tx.tenantId, data: { ...event.data } } });
}

/** The event of this id that the tenant has. */
export async function findWebhookEvent(tx: TenantTx, id: WebhookEventId): Promise<WebhookEventRow | null> {
  const where = { tenantId_id: { tenantId: tx.tenantId, id } };
  const row = await tx.client.webhookEvent.findUnique({ where, omit: { tenantId: true } });
  return row as (typeof row & WebhookEventRow) | null;
}

/**
 * Hands each event of a tenant that waits in the outbox to `start`, once for every webhook that worked when it happened, and
 * forgets the word once all were taken: at least once, so that `start` must not mind to be asked twice. Forgets events that
 * are older than 30 days, with their attempts.
 * @throws what `start` throws; the words that were not taken stay.
 */
export async function dispatchWebhookEvents(
  db: Db,
  tenantId: TenantId,
  start: (delivery: { tenantId: TenantId; webhookId: WebhookId; eventId: WebhookEventId }) => Promise<void>,
): Promise<void> {
  while (true) {
    const words = await withTenant(db, tenantId, (tx) =>
      tx.client.outboxMessage.findMany({
        where: { tenantId, topic: WEBHOOK_TOPIC },
        orderBy: { id: 'asc' },
        take: BATCH_SIZE,
      }),
    );
    for (const { id, message } of words) {
      const { eventId } = message as { eventId: WebhookEventId };
      const webhookIds = await withTenant(db, tenantId, (tx) => listAddressees(tx, eventId));
      for (const webhookId of webhookIds) await start({ tenantId, webhookId, eventId });
      await withTenant(db, tenantId, (tx) => tx.client.outboxMessage.deleteMany({ where: { tenantId, id } }));
    }
    if (words.length < BATCH_SIZE) break;
  }
  await withTenant(
    db,
    tenantId,
    (tx) => tx.client.$executeRaw`
      DELETE FROM webhook_events WHERE tenant_id = ${tenantId}::uuid AND at < now() - make_interval(days => ${KEPT_DAYS})`,
  );
}

async function listAddressees(tx: TenantTx, eventId: WebhookEventId): Promise<WebhookId[]> {
  const rows = await tx.client.$queryRaw<{ id: WebhookId }[]>`
    SELECT w.id FROM webhooks w JOIN webhook_events e USING (tenant_id)
     WHERE e.tenant_id = ${tx.tenantId}::uuid AND e.id = ${eventId}::uuid
       AND w.disabled_at IS NULL AND w.enabled_at <= e.at ORDER BY w.id`;
  return rows.map(({ id }) => id);
}
