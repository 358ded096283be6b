import type { WebhookRow } from '@kindred/db/webhooks';
import { postPublicly, type TargetRules } from '@kindred/service/post-publicly';
import { Webhook } from 'standardwebhooks';
import { openWebhookSecret } from './webhook-secret.ts';

/** What a target is told: the form of the Standard Webhooks specification. */
export interface WebhookEvent {
  /** The same for every attempt: receivers drop what they have. */
  id: string;
  type: string;
  at: Date;
  data: object;
}

export interface WebhookAttempt {
  status: number | null;
  failure: string | null;
  durationMs: number;
}

/** Sends an event to a webhook, once. A target that cannot be called or does not answer is an outcome, no error. */
export async function sendWebhook(
  webhook: WebhookRow,
  event: WebhookEvent,
  { pepper, targetRules }: { pepper: string; targetRules: TargetRules },
): Promise<WebhookAttempt> {
  const body = JSON.stringify({ type: event.type, timestamp: event.at.toISOString(), data: event.data });
  const now = new Date();
  const signatures = secretsOf(webhook, now).map((sealed) =>
    new Webhook(openWebhookSecret(pepper, sealed)).sign(event.id, now, body),
  );
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Kindred-Webhooks/1',
    'webhook-id': event.id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': signatures.join(' '),
  };
  const startedAt = performance.now();
  const took = () => Math.round(performance.now() - startedAt);
  try {
    const status = await postPublicly(webhook.url, { headers, body }, targetRules);
    return { status, failure: null, durationMs: took() };
  } catch (error) {
    const failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { status: null, failure: failure.slice(0, 500), durationMs: took() };
  }
}

function secretsOf({ sealedSecret, previousSealedSecret, previousUntil }: WebhookRow, now: Date): Uint8Array[] {
  const overlaps = previousSealedSecret !== null && previousUntil !== null && previousUntil > now;
  return overlaps ? [sealedSecret, previousSealedSecret] : [sealedSecret];
}
