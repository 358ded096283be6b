import { findOutboxTenants } from '@kindred/db/outbox';
import { dispatchWebhookEvents } from '@kindred/db/webhook-events';
import type { Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  DELIVER_WEBHOOK,
  type DeliverWebhookInput,
  deliverWebhookWorkflowId,
  TASK_QUEUES,
  WEBHOOK_WAITS_MS,
  type WebhookDeliveryRef,
} from './contract.ts';
import type { EventDeps } from './record-event.ts';
import { repeat } from './relay-outbox.ts';

const EVERY_MS = 1_000;

export interface WebhookRelayDeps extends Pick<EventDeps, 'db' | 'logger'> {
  client: { workflow: Pick<Client['workflow'], 'start'> };
}

/** Starts a delivery for every event in the outbox and every webhook that is to be told of it. */
export async function relayWebhooks(
  { db, client, logger }: WebhookRelayDeps,
  waitsMs: readonly number[] = WEBHOOK_WAITS_MS,
): Promise<void> {
  try {
    for (const tenantId of await findOutboxTenants(db, new Date())) {
      await dispatchWebhookEvents(db, tenantId, (delivery) => startDelivery(client, { ...delivery, waitsMs }));
    }
  } catch (err) {
    logger.warn({ err }, 'Events for webhooks wait in the outbox; it is looked through again.');
  }
}

/** Relays again and again until disposed of. */
export function startWebhookRelay(deps: WebhookRelayDeps): AsyncDisposable {
  return repeat(() => relayWebhooks(deps), EVERY_MS);
}

/** One delivery per webhook and event, whoever asks for it how often: its id lets one through, also once it has ended. */
async function startDelivery(client: WebhookRelayDeps['client'], input: DeliverWebhookInput): Promise<void> {
  try {
    await client.workflow.start(DELIVER_WEBHOOK, {
      taskQueue: TASK_QUEUES.workflows,
      workflowId: deliverWebhookWorkflowId(input satisfies WebhookDeliveryRef),
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      args: [input],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
