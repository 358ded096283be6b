import { Webhook } from 'standardwebhooks';
import { postPublicly, type TargetRules } from './post-publicly.ts';
import { openWebhookSecret } from './webhook-secret.ts';

/** What a target is told: the form of the Standard Webhooks specification. */
export interface WebhookEvent {
  /** The same for every attempt: receivers drop what they have. */
  id: string;
  type: string;
  at: Date;
  data: object;
}

/** Where an event goes, and what signs it. */
export interface WebhookTarget {
  url: string;
  sealedSecret: Uint8Array;
  /** Signs beside the new one until `previousUntil`. */
  previousSealedSecret: Uint8Array | null;
  previousUntil: Date | null;
}

/** What sending needs of its process. */
export interface WebhookSender {
  /** What the secrets are sealed under. */
  pepper: string;
  targetRules: TargetRules;
}

export interface WebhookAttempt {
  status: number | null;
  failure: string | null;
  responseBody: string | null;
  durationMs: number;
}

/** Sends an event to a webhook, once. A target that cannot be called or does not answer is an outcome, no error. */
export async function sendWebhook(
  webhook: WebhookTarget,
  event: WebhookEvent,
  { pepper, targetRules }: WebhookSender,
): Promise<WebhookAttempt & { retryAfterMs: number | null }> {
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
    const answer = await postPublicly(webhook.url, { headers, body }, targetRules);
    const retryAfterMs = readRetryAfter(answer.headers['retry-after'], new Date());
    return { status: answer.status, failure: null, responseBody: answer.body, durationMs: took(), retryAfterMs };
  } catch (error) {
    const failure = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return {
      status: null,
      failure: failure.slice(0, 500),
      responseBody: null,
      durationMs: took(),
      retryAfterMs: null,
    };
  }
}

/** How long a `Retry-After` (RFC 9110, section 10.2.3: seconds or a date) asks to wait; null when it asks for nothing. */
export function readRetryAfter(value: string | undefined, now: Date): number | null {
  if (value === undefined) return null;
  if (/^[0-9]{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = value.endsWith(' GMT') ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now.getTime());
}

function secretsOf({ sealedSecret, previousSealedSecret, previousUntil }: WebhookTarget, now: Date): Uint8Array[] {
  const overlaps = previousSealedSecret !== null && previousUntil !== null && previousUntil > now;
  return overlaps ? [sealedSecret, previousSealedSecret] : [sealedSecret];
}
