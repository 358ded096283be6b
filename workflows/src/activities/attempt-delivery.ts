import { withTenant } from '@kindred/db/tenants';
import { findWebhookEvent } from '@kindred/db/webhook-events';
import {
  disableWebhook,
  findWebhook,
  findWebhookAttempt,
  hasWebhookTaken,
  recordWebhookDelivery,
} from '@kindred/db/webhooks';
import { encodeGlobalId, newId } from '@kindred/domain/ids';
import { sendWebhook, type WebhookSender } from '@kindred/service/send-webhook';
import type { WebhookDeliveryRef } from '../contract.ts';
import type { ActivityDeps } from './create-activities.ts';

export interface DeliveryDeps extends Pick<ActivityDeps, 'db' | 'logger'> {
  webhooks: WebhookSender;
}

/** What an attempt came to: taken, refused, or not to be made at all: the webhook is gone or disabled, or has the event. */
export type AttemptOutcome = { state: 'TAKEN' | 'NOT_WANTED' } | { state: 'REFUSED'; retryAfterMs: number | null };

/** Tells a webhook of an event once, and writes down what became of it; an attempt that is written down is not made again. */
export async function attemptDelivery(
  { db, webhooks }: DeliveryDeps,
  input: WebhookDeliveryRef & { attempt: number },
): Promise<AttemptOutcome> {
  const { tenantId, webhookId, eventId, attempt } = input;
  const { webhook, event, made } = await withTenant(db, tenantId, async (tx) => ({
    webhook: await findWebhook(tx, webhookId),
    event: await findWebhookEvent(tx, eventId),
    made: await findWebhookAttempt(tx, { webhookId, eventId, attempt }),
  }));
  if (made !== null) return judge(made.status, null);
  if (webhook === null || webhook.disabledAt !== null || event === null) return { state: 'NOT_WANTED' };
  if (await withTenant(db, tenantId, (tx) => hasWebhookTaken(tx, { webhookId, eventId })))
    return { state: 'NOT_WANTED' };
  const message = { ...event, id: encodeGlobalId('WebhookEvent', eventId) };
  const { retryAfterMs, ...result } = await sendWebhook(webhook, message, webhooks);
  await withTenant(db, tenantId, (tx) =>
    recordWebhookDelivery(tx, {
      id: newId('WebhookDelivery'),
      webhookId,
      eventId,
      eventType: event.type,
      attempt,
      ...result,
    }),
  );
  return judge(result.status, retryAfterMs);
}

function judge(status: number | null, retryAfterMs: number | null): AttemptOutcome {
  if (status === 410) return { state: 'NOT_WANTED' };
  return status !== null && status >= 200 && status < 300 ? { state: 'TAKEN' } : { state: 'REFUSED', retryAfterMs };
}

/**
 * Disables a webhook that took nothing from the event's beginning to its last attempt, unless somebody has enabled it again
 * in between.
 */
export async function giveUpDelivery(
  { db, logger }: DeliveryDeps,
  { tenantId, webhookId, eventId }: WebhookDeliveryRef,
): Promise<{ disabled: boolean }> {
  const disabled = await withTenant(db, tenantId, async (tx) => {
    const [webhook, event] = [await findWebhook(tx, webhookId), await findWebhookEvent(tx, eventId)];
    if (webhook === null || event === null || webhook.enabledAt > event.at) return false;
    if (await hasWebhookTaken(tx, { webhookId, since: event.at })) return false;
    return disableWebhook(tx, webhookId, 'FAILING');
  });
  logger.warn(
    { tenantId, webhookId, eventId, disabled },
    'A webhook was not told of an event, however often it was tried.',
  );
  return { disabled };
}
