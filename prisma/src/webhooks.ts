import { encodeGlobalId, type TenantId } from '@kindred/domain/ids';
import type { WebhookDeliveryId, WebhookEventId, WebhookId } from '@kindred/domain/ids';
import { appendAuditEvent } from './audit-log.ts';
import type { TenantTx } from './tenants.ts';

export interface WebhookRow {
  tenantId: TenantId;
  id: WebhookId;
  url: string;
  sealedSecret: Uint8Array;
  /** Signs beside the new one until `previousUntil`. */
  previousSealedSecret: Uint8Array | null;
  previousUntil: Date | null;
  createdAt: Date;
  /** Events from before are not for it. */
  enabledAt: Date;
  disabledAt: Date | null;
  disabledReason: WebhookDisabledReason | null;
}

/** Why nothing more is sent: the target said 410, or took nothing while all attempts at an event were made. */
export type WebhookDisabledReason = 'GONE' | 'FAILING';

export interface WebhookDeliveryRow {
  id: WebhookDeliveryId;
  webhookId: WebhookId;
  eventId: WebhookEventId;
  eventType: string;
  /** The platform's own attempts at the event count from 1; null: a person asked for it. */
  attempt: number | null;
  at: Date;
  /** The target's HTTP status; null when it gave none. */
  status: number | null;
  failure: string | null;
  /** The beginning of what the target said. */
  responseBody: string | null;
  durationMs: number;
}

export async function createWebhook(
  tx: TenantTx,
  input: { id: WebhookId; url: string; sealedSecret: Uint8Array<ArrayBuffer> },
): Promise<WebhookRow> {
  const row = await tx.client.webhook.create({ data: { ...input, tenantId: tx.tenantId } });
  return row as typeof row & WebhookRow;
}

/** The webhook of this id that the tenant has. */
export async function findWebhook(tx: TenantTx, id: WebhookId): Promise<WebhookRow | null> {
  const row = await tx.client.webhook.findUnique({ where: { tenantId_id: { tenantId: tx.tenantId, id } } });
  return row as (typeof row & WebhookRow) | null;
}

/** At most `first` webhooks, newest first, from after `afterId`. */
export async function listWebhooks(
  tx: TenantTx,
  page: { first: number; afterId?: WebhookId | null | undefined },
): Promise<WebhookRow[]> {
  const rows = await tx.client.webhook.findMany({
    where: { tenantId: tx.tenantId, ...(page.afterId ? { id: { lt: page.afterId } } : {}) },
    orderBy: { id: 'desc' },
    take: page.first,
  });
  return rows.map((row) => row as typeof row & WebhookRow);
}

/** Gives a webhook another secret; the one before signs as well until `previousUntil`. Null when the tenant has none. */
export async function rotateWebhookSecret(
  tx: TenantTx,
  id: WebhookId,
  rotation: { sealedSecret: Uint8Array<ArrayBuffer>; previousUntil: Date },
): Promise<WebhookRow | null> {
  await tx.client.$executeRaw`
    UPDATE webhooks SET previous_sealed_secret = sealed_secret, previous_until = ${rotation.previousUntil},
                        sealed_secret = ${rotation.sealedSecret}
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${id}::uuid`;
  return findWebhook(tx, id);
}

/** Whether there was one. */
export async function deleteWebhook(tx: TenantTx, id: WebhookId): Promise<boolean> {
  return (await tx.client.webhook.deleteMany({ where: { tenantId: tx.tenantId, id } })).count === 1;
}

/**
 * Writes an attempt down, and disables a webhook whose target says 410 Gone; an attempt that is written already stays as it
 * is. Null when the webhook was deleted meanwhile.
 */
export async function recordWebhookDelivery(
  tx: TenantTx,
  delivery: Omit<WebhookDeliveryRow, 'at'>,
): Promise<WebhookDeliveryRow | null> {
  const { id, webhookId, eventId, eventType, attempt, status, failure, responseBody, durationMs } = delivery;
  await tx.client.$executeRaw`
    INSERT INTO webhook_deliveries
      (tenant_id, id, webhook_id, event_id, event_type, attempt, status, failure, response_body, duration_ms)
    SELECT tenant_id, ${id}::uuid, id, ${eventId}::uuid, ${eventType}, ${attempt}::int, ${status}::int, ${failure},
           ${responseBody}, ${durationMs}
      FROM webhooks WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${webhookId}::uuid FOR KEY SHARE
    ON CONFLICT (tenant_id, event_id, webhook_id, attempt) DO NOTHING`;
  if (status === 410) await disableWebhook(tx, webhookId, 'GONE');
  return attempt === null ? findWebhookDelivery(tx, id) : findWebhookAttempt(tx, { webhookId, eventId, attempt });
}

/** The attempt of this id that the tenant knows. */
export async function findWebhookDelivery(tx: TenantTx, id: WebhookDeliveryId): Promise<WebhookDeliveryRow | null> {
  const where = { tenantId_id: { tenantId: tx.tenantId, id } };
  const row = await tx.client.webhookDelivery.findUnique({ where, omit: { tenantId: true } });
  return row as (typeof row & WebhookDeliveryRow) | null;
}

/** The platform's own attempt of this number at telling a webhook of an event. */
export async function findWebhookAttempt(
  tx: TenantTx,
  attempt: { webhookId: WebhookId; eventId: WebhookEventId; attempt: number },
): Promise<WebhookDeliveryRow | null> {
  const row = await tx.client.webhookDelivery.findFirst({
    where: { tenantId: tx.tenantId, ...attempt },
    omit: { tenantId: true },
  });
  return row as (typeof row & WebhookDeliveryRow) | null;
}

/** Whether the webhook's target has taken an event: this one, or any since `since`. */
export async function hasWebhookTaken(
  tx: TenantTx,
  { webhookId, ...what }: { webhookId: WebhookId } & ({ eventId: WebhookEventId } | { since: Date }),
): Promise<boolean> {
  const which = 'eventId' in what ? { eventId: what.eventId } : { at: { gte: what.since } };
  const where = { tenantId: tx.tenantId, webhookId, status: { gte: 200, lt: 300 }, ...which };
  return (await tx.client.webhookDelivery.findFirst({ where, select: { id: true } })) !== null;
}

/** Stops a webhook that works, as the tenant's audit log tells; whether it worked until now. */
export async function disableWebhook(tx: TenantTx, id: WebhookId, reason: WebhookDisabledReason): Promise<boolean> {
  const { count } = await tx.client.webhook.updateMany({
    where: { tenantId: tx.tenantId, id, disabledAt: null },
    data: { disabledAt: new Date(), disabledReason: reason },
  });
  if (count === 0) return false;
  const details = { webhookId: encodeGlobalId('Webhook', id), reason };
  await appendAuditEvent(tx, { actor: { kind: 'platform' }, action: 'disableWebhook', details });
  return true;
}

/** Lets a disabled webhook work again, for events from now on; one that works stays as it is. Null: no such webhook. */
export async function enableWebhook(tx: TenantTx, id: WebhookId): Promise<WebhookRow | null> {
  await tx.client.webhook.updateMany({
    where: { tenantId: tx.tenantId, id, disabledAt: { not: null } },
    data: { disabledAt: null, disabledReason: null, enabledAt: new Date() },
  });
  return findWebhook(tx, id);
}

/** At most `first` attempts at a webhook, newest first, from after `afterId`. */
export async function listWebhookDeliveries(
  tx: TenantTx,
  page: { webhookId: WebhookId; first: number; afterId?: WebhookDeliveryId | null | undefined },
): Promise<WebhookDeliveryRow[]> {
  const rows = await tx.client.webhookDelivery.findMany({
    where: {
      tenantId: tx.tenantId,
      webhookId: page.webhookId,
      ...(page.afterId ? { id: { lt: page.afterId } } : {}),
    },
    orderBy: { id: 'desc' },
    take: page.first,
    omit: { tenantId: true },
  });
  return rows.map((row) => row as typeof row & WebhookDeliveryRow);
}
