import { withTenant } from '@kindred/db/tenants';
import { appendWebhookEvent } from '@kindred/db/webhook-events';
import { createWebhook, findWebhook, listWebhookDeliveries } from '@kindred/db/webhooks';
import { encodeGlobalId, newId, type TenantId, type WebhookEventId, type WebhookId } from '@kindred/domain/ids';
import { newWebhookSecret, sealWebhookSecret } from '@kindred/service/webhook-secret';
import { type DeliverWebhookOutcome, deliverWebhookWorkflowId } from '../contract.ts';
import type { TrainingWorld } from './training-world.ts';

export interface TestWebhook {
  tenantId: TenantId;
  webhookId: WebhookId;
  secret: string;
}

/** What tests of deliveries do and look at. */
export function openWebhookWorld({ deps: { db }, webhooks: { pepper }, client }: TrainingWorld) {
  const newestEvent = async (tenantId: TenantId): Promise<WebhookEventId> => {
    const { id } = await withTenant(db, tenantId, (tx) =>
      tx.client.webhookEvent.findFirstOrThrow({ where: { tenantId }, orderBy: { id: 'desc' } }),
    );
    return id as WebhookEventId;
  };
  /** The delivery of an event to a webhook: the newest, if none is named. */
  const handleOf = async ({ tenantId, webhookId }: TestWebhook, eventId?: WebhookEventId) =>
    client.workflow.getHandle(
      deliverWebhookWorkflowId({ tenantId, webhookId, eventId: eventId ?? (await newestEvent(tenantId)) }),
    );
  return {
    newestEvent,
    handleOf,
    async open(tenantId: TenantId, url: string): Promise<TestWebhook> {
      const [webhookId, secret] = [newId('Webhook'), newWebhookSecret()];
      const sealedSecret = sealWebhookSecret(pepper, secret);
      await withTenant(db, tenantId, (tx) => createWebhook(tx, { id: webhookId, url, sealedSecret }));
      return { tenantId, webhookId, secret };
    },
    /** Something that webhooks are told of. */
    happen: (tenantId: TenantId) =>
      withTenant(db, tenantId, (tx) =>
        appendWebhookEvent(tx, 'member.removed', { accountId: encodeGlobalId('Account', newId('Account')) }),
      ),
    find: ({ tenantId, webhookId }: TestWebhook) => withTenant(db, tenantId, (tx) => findWebhook(tx, webhookId)),
    /** The oldest first. */
    deliveries: async ({ tenantId, webhookId }: TestWebhook) =>
      (await withTenant(db, tenantId, (tx) => listWebhookDeliveries(tx, { webhookId, first: 100 }))).toReversed(),
    /** What became of the newest event at this webhook. */
    outcome: async (webhook: TestWebhook) => (await (await handleOf(webhook)).result()) as DeliverWebhookOutcome,
    /** How long the delivery of the newest event was told to wait each time, in milliseconds. */
    async waits(webhook: TestWebhook): Promise<number[]> {
      const { events } = await (await handleOf(webhook)).fetchHistory();
      return (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) => {
        const { seconds, nanos } = timer?.startToFireTimeout ?? {};
        return timer ? [Number(seconds ?? 0) * 1_000 + (nanos ?? 0) / 1e6] : [];
      });
    },
  };
}
