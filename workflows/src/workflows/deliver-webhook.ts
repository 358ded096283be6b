import { proxyActivities, sleep } from '@temporalio/workflow';
import type { DataActivities } from '../activities/create-activities.ts';
import { type DeliverWebhookInput, type DeliverWebhookOutcome, TASK_QUEUES } from '../contract.ts';
import { nextWaitMs } from './retry-wait.ts';

// What fails here is ours, such as a database that is away: it is tried until it is back. What the target does is an outcome.
const { attemptDelivery, giveUpDelivery } = proxyActivities<DataActivities>({
  taskQueue: TASK_QUEUES.data,
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Tells one webhook of one event: at once, and again after each wait of `waitsMs` until the target takes it. */
export async function deliverWebhook({ waitsMs, ...delivery }: DeliverWebhookInput): Promise<DeliverWebhookOutcome> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptDelivery({ ...delivery, attempt });
    if (outcome.state !== 'REFUSED') {
      return { state: outcome.state, attempts: attempt };
    }
    const waitMs = waitsMs[attempt - 1];
    if (waitMs === undefined) {
      const { disabled } = await giveUpDelivery(delivery);
      return { state: disabled ? 'DISABLED' : 'GIVEN_UP', attempts: attempt };
    }
    await sleep(nextWaitMs(waitMs, { retryAfterMs: outcome.retryAfterMs, random: Math.random() }));
  }
}
