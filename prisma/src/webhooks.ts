import type { TenantId, WebhookDeliveryId, WebhookId } from '@kindred/domain/ids';
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
  disabledAt: Date | null;
}

export interface WebhookDeliveryRow {
  id: WebhookDeliveryId;
  webhookId: WebhookId;
  eventType: string;
  at: Date;
  /** The target's HTTP status; null when it gave none. */
  status: number | null;
  failure: string | null;
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

/** Writes an attempt down; a target that says 410 Gone gets nothing more. */
export async function recordWebhookDelivery(
  tx: TenantTx,
  delivery: Omit<WebhookDeliveryRow, 'at'>,
): Promise<WebhookDeliveryRow> {
  const row = await tx.client.webhookDelivery.create({
    data: { ...delivery, tenantId: tx.tenantId },
    omit: { tenantId: true },
  });
  if (delivery.status === 410) {
    await tx.client.webhook.updateMany({
      where: { tenantId: tx.tenantId, id: delivery.webhookId, disabledAt: null },
      data: { disabledAt: new Date() },
    });
  }
  return row as typeof row & WebhookDeliveryRow;
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
