import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { createWebhookEvent, findWebhookEvent, type WebhookEventRow } from '@kindred/db/webhook-events';
import {
  findWebhook,
  findWebhookDelivery,
  recordWebhookDelivery,
  type WebhookDeliveryRow,
  type WebhookRow,
} from '@kindred/db/webhooks';
import { encodeGlobalId, newId, type WebhookDeliveryId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import { sendWebhook } from '@kindred/service/send-webhook';
import type { TenantContext } from './context.ts';
import type { RedeliverWebhookInput, TestWebhookInput, UserError } from './generated/resolvers.ts';
import { once } from './once.ts';
import { readId } from './read-id.ts';
import { userError } from './user-error.ts';
import { noSuchWebhook, readWebhookId } from './webhooks.ts';

interface Tried {
  delivery: WebhookDeliveryRow | null;
  userErrors: UserError[];
}

/** Sends a `webhook.test` event to a webhook now, once, and writes down what became of it. */
export async function testWebhook(context: TenantContext, input: TestWebhookInput): Promise<Tried> {
  const { webhookId } = input;
  const id = readWebhookId(webhookId);
  if (typeof id !== 'string') return refuse(id);
  const event = { id: newId('WebhookEvent'), type: 'webhook.test', at: new Date(), data: { webhookId } } as const;
  const tenantId = requireTenant(context.viewer);
  const webhook = await withTenant(context.db, tenantId, (tx) => findWebhook(tx, id));
  if (webhook === null) return refuse(noSuchWebhook(webhookId));
  const prepare = (tx: TenantTx) => createWebhookEvent(tx, event);
  return tryOnce(context, { operation: 'testWebhook', field: 'webhookId', input }, { webhook, event, prepare });
}

/** Sends the event of a delivery to its webhook again now, once, and writes down what became of it. */
export async function redeliverWebhook(context: TenantContext, input: RedeliverWebhookInput): Promise<Tried> {
  const id = readId('WebhookDelivery', { field: 'deliveryId', value: input.deliveryId });
  if (typeof id !== 'string') return refuse(id);
  const found = await withTenant(context.db, requireTenant(context.viewer), async (tx) => {
    const delivery = await findWebhookDelivery(tx, id);
    if (delivery === null) return null;
    return { webhook: await findWebhook(tx, delivery.webhookId), event: await findWebhookEvent(tx, delivery.eventId) };
  });
  if (!found?.webhook || !found.event) {
    const message = `deliveryId must be that of a delivery of this tenant within 30 days, got "${input.deliveryId}".`;
    return refuse(userError('NOT_FOUND', message, ['deliveryId']));
  }
  const { webhook, event } = found;
  return tryOnce(context, { operation: 'redeliverWebhook', field: 'deliveryId', input }, { webhook, event });
}

interface Attempt {
  webhook: WebhookRow;
  event: WebhookEventRow;
  /** Keeps an event that is made for this attempt. */
  prepare?: (tx: TenantTx) => Promise<void>;
}

/** Claims the call's key with the id of the attempt to be, then sends outside of any transaction, then writes it down. */
async function tryOnce(
  context: TenantContext,
  call: { operation: string; field: string; input: { idempotencyKey?: string | null | undefined } },
  { webhook, event, prepare }: Attempt,
): Promise<Tried> {
  const { db, apiKeyPepper, targetRules } = context;
  const conflict = (message: string) => refuse(userError('CONFLICT', message, [call.field]));
  if (webhook.disabledAt !== null) return conflict('The webhook is disabled: enable it first.');
  const tenantId = requireTenant(context.viewer);
  const id = newId('WebhookDelivery');
  const firstId = await withTenant(db, tenantId, (tx) =>
    once(tx, call, async (): Promise<WebhookDeliveryId> => {
      await prepare?.(tx);
      return id;
    }),
  );
  if (firstId !== id) {
    const delivery = await withTenant(db, tenantId, (tx) => findWebhookDelivery(tx, firstId));
    return delivery === null
      ? conflict('The first call with this key has not ended yet.')
      : { delivery, userErrors: [] };
  }
  const message = { ...event, id: encodeGlobalId('WebhookEvent', event.id) };
  const { retryAfterMs: _, ...result } = await sendWebhook(webhook, message, { pepper: apiKeyPepper, targetRules });
  const attempt = { id, webhookId: webhook.id, eventId: event.id, eventType: event.type, attempt: null, ...result };
  const delivery = await withTenant(db, tenantId, (tx) => recordWebhookDelivery(tx, attempt));
  return delivery === null ? conflict('The webhook was deleted meanwhile.') : { delivery, userErrors: [] };
}

function refuse(error: UserError): Tried {
  return { delivery: null, userErrors: [error] };
}
