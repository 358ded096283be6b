import { appendAuditEvent } from '@kindred/db/audit-log';
import { withIdempotencyKey } from '@kindred/db/idempotency';
import { type TenantRow, withTenant } from '@kindred/db/tenants';
import {
  createWebhook as insertWebhook,
  deleteWebhook as removeWebhook,
  findWebhook,
  listWebhookDeliveries as readDeliveries,
  listWebhooks as readWebhooks,
  recordWebhookDelivery,
  rotateWebhookSecret as replaceSecret,
  type WebhookDeliveryRow,
  type WebhookRow,
} from '@kindred/db/webhooks';
import { checkPageSize, decodeCursor } from '@kindred/domain/cursor';
import { decodeGlobalId, encodeGlobalId, newId, type WebhookId } from '@kindred/domain/ids';
import { type Connection, toConnection } from '@kindred/service/connection';
import { requireTenant } from '@kindred/service/guards';
import { ForbiddenTargetError, readTarget } from '@kindred/service/post-publicly';
import { actorOf } from './audit.ts';
import { checkOptionalText } from './check-text.ts';
import type { TenantContext } from './context.ts';
import type {
  CreateWebhookInput,
  TenantWebhooksArgs,
  WebhookDeliveriesArgs,
  UserError,
} from './generated/resolvers.ts';
import { readId } from './read-id.ts';
import { sendWebhook } from './send-webhook.ts';
import { userError } from './user-error.ts';
import { newWebhookSecret, sealWebhookSecret } from './webhook-secret.ts';

const ROTATION_OVERLAP_MS = 24 * 60 * 60 * 1000;
const MAX_URL_CHARS = 2_000;

interface WebhookAnswer {
  webhook: WebhookRow | null;
  secret: string | null;
  userErrors: UserError[];
}

/** Creates a webhook of the viewer's tenant. Its secret is in this answer alone: a repeated call gets the webhook without it. */
export async function createWebhook(context: TenantContext, input: CreateWebhookInput): Promise<WebhookAnswer> {
  const { url, idempotencyKey } = input;
  const userErrors = [
    ...checkTarget(context, url),
    ...checkOptionalText(idempotencyKey, { field: 'idempotencyKey', maxChars: 200 }),
  ];
  if (userErrors.length > 0) return { webhook: null, secret: null, userErrors };
  const [id, secret] = [newId('Webhook'), newWebhookSecret()];
  return withTenant(context.db, requireTenant(context.viewer), async (tx) => {
    const insert = async (): Promise<WebhookId> => {
      await insertWebhook(tx, { id, url, sealedSecret: sealWebhookSecret(context.apiKeyPepper, secret) });
      const details = { webhookId: encodeGlobalId('Webhook', id), url };
      await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'createWebhook', details });
      return id;
    };
    const once = { operation: 'createWebhook', key: idempotencyKey ?? '', request: { url } };
    const firstId = typeof idempotencyKey === 'string' ? await withIdempotencyKey(tx, once, insert) : await insert();
    return { webhook: await findWebhook(tx, firstId), secret: firstId === id ? secret : null, userErrors };
  });
}

/** Gives a webhook another secret. For a day both sign, so that the receiver can change over. */
export async function rotateWebhookSecret(context: TenantContext, webhookId: string): Promise<WebhookAnswer> {
  const id = readWebhookId(webhookId);
  if (typeof id !== 'string') return { webhook: null, secret: null, userErrors: [id] };
  const secret = newWebhookSecret();
  const rotation = {
    sealedSecret: sealWebhookSecret(context.apiKeyPepper, secret),
    previousUntil: new Date(Date.now() + ROTATION_OVERLAP_MS),
  };
  const webhook = await withTenant(context.db, requireTenant(context.viewer), async (tx) => {
    const rotated = await replaceSecret(tx, id, rotation);
    const event = { actor: actorOf(context.viewer), action: 'rotateWebhookSecret', details: { webhookId } } as const;
    if (rotated !== null) await appendAuditEvent(tx, event);
    return rotated;
  });
  return webhook === null
    ? { webhook, secret: null, userErrors: [noSuchWebhook(webhookId)] }
    : { webhook, secret, userErrors: [] };
}

/** Ends a webhook; what was sent to it is forgotten with it. */
export async function deleteWebhook(
  context: TenantContext,
  webhookId: string,
): Promise<{ deletedWebhookId: string | null; userErrors: UserError[] }> {
  const id = readWebhookId(webhookId);
  if (typeof id !== 'string') return { deletedWebhookId: null, userErrors: [id] };
  const isDeleted = await withTenant(context.db, requireTenant(context.viewer), async (tx) => {
    const event = { actor: actorOf(context.viewer), action: 'deleteWebhook', details: { webhookId } } as const;
    if (!(await removeWebhook(tx, id))) return false;
    await appendAuditEvent(tx, event);
    return true;
  });
  return isDeleted
    ? { deletedWebhookId: webhookId, userErrors: [] }
    : { deletedWebhookId: null, userErrors: [noSuchWebhook(webhookId)] };
}

/** Sends a `webhook.test` event to a webhook now, once, and writes down what became of it. */
export async function testWebhook(
  context: TenantContext,
  webhookId: string,
): Promise<{ delivery: WebhookDeliveryRow | null; userErrors: UserError[] }> {
  const refuse = (error: UserError) => ({ delivery: null, userErrors: [error] });
  const id = readWebhookId(webhookId);
  if (typeof id !== 'string') return refuse(id);
  const tenantId = requireTenant(context.viewer);
  const webhook = await withTenant(context.db, tenantId, (tx) => findWebhook(tx, id));
  if (webhook === null) return refuse(noSuchWebhook(webhookId));
  if (webhook.disabledAt !== null) {
    return refuse(userError('CONFLICT', 'The webhook was disabled: its target said 410 Gone.', ['webhookId']));
  }
  const deliveryId = newId('WebhookDelivery');
  const eventId = encodeGlobalId('WebhookDelivery', deliveryId);
  const event = { id: eventId, type: 'webhook.test', at: new Date(), data: { webhookId } };
  const attempt = await sendWebhook(webhook, event, { pepper: context.apiKeyPepper, targetRules: context.targetRules });
  const delivery = await withTenant(context.db, tenantId, (tx) =>
    recordWebhookDelivery(tx, { id: deliveryId, webhookId: id, eventType: event.type, ...attempt }),
  );
  return { delivery, userErrors: [] };
}

/**
 * A page of the tenant's webhooks, newest first.
 * @throws AppError BAD_USER_INPUT for a page size or cursor that cannot be.
 */
export async function listWebhooks(
  { db }: TenantContext,
  tenant: TenantRow,
  args: TenantWebhooksArgs,
): Promise<Connection<WebhookRow>> {
  const { after } = args;
  const first = checkPageSize(args.first);
  const afterId = typeof after === 'string' ? decodeGlobalId('Webhook', decodeCursor(after)) : null;
  const rows = await withTenant(db, tenant.id, (tx) => readWebhooks(tx, { first: first + 1, afterId }));
  return toConnection(rows, { first, after }, (webhook) => encodeGlobalId('Webhook', webhook.id));
}

/**
 * A page of the attempts at a webhook, newest first.
 * @throws AppError BAD_USER_INPUT for a page size or cursor that cannot be.
 */
export async function listDeliveries(
  { db }: TenantContext,
  { tenantId, id }: WebhookRow,
  args: WebhookDeliveriesArgs,
): Promise<Connection<WebhookDeliveryRow>> {
  const { after } = args;
  const first = checkPageSize(args.first);
  const afterId = typeof after === 'string' ? decodeGlobalId('WebhookDelivery', decodeCursor(after)) : null;
  const page = { webhookId: id, first: first + 1, afterId };
  const rows = await withTenant(db, tenantId, (tx) => readDeliveries(tx, page));
  return toConnection(rows, { first, after }, (delivery) => encodeGlobalId('WebhookDelivery', delivery.id));
}

function checkTarget({ targetRules }: TenantContext, url: string): UserError[] {
  if (url.length > MAX_URL_CHARS) {
    return [userError('INVALID', `url must be at most ${MAX_URL_CHARS} characters, got ${url.length}.`, ['url'])];
  }
  try {
    readTarget(url, targetRules);
    return [];
  } catch (error) {
    if (!(error instanceof ForbiddenTargetError)) throw error;
    return [userError('INVALID', `url must lead to the public internet over HTTPS: ${error.message}.`, ['url'])];
  }
}

function readWebhookId(value: string): WebhookId | UserError {
  return readId('Webhook', { field: 'webhookId', value });
}

function noSuchWebhook(webhookId: string): UserError {
  const message = `webhookId must be that of a webhook of this tenant, got "${webhookId}".`;
  return userError('NOT_FOUND', message, ['webhookId']);
}
