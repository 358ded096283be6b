import { randomUUID } from 'node:crypto';
import { appendAuditEvent } from '@kindred/db/audit-log';
import { type TenantRow, withTenant } from '@kindred/db/tenants';
import {
  createWebhook as insertWebhook,
  deleteWebhook as removeWebhook,
  enableWebhook as letWork,
  findWebhook,
  listWebhookDeliveries as readDeliveries,
  listWebhooks as readWebhooks,
  rotateWebhookSecret as replaceSecret,
  type WebhookDeliveryRow,
  type WebhookRow,
} from '@kindred/db/webhooks';
import { checkPageSize, decodeCursor } from '@kindred/domain/cursor';
import { decodeGlobalId, encodeGlobalId, newId, type WebhookId } from '@kindred/domain/ids';
import { type Connection, toConnection } from '@kindred/service/connection';
import { requireTenant } from '@kindred/service/guards';
import { ForbiddenTargetError, readTarget } from '@kindred/service/post-publicly';
import { newWebhookSecret, sealWebhookSecret } from '@kindred/service/webhook-secret';
import { actorOf } from './audit.ts';
import { checkOptionalText } from './check-text.ts';
import type { TenantContext } from './context.ts';
import type {
  CreateWebhookInput,
  DeleteWebhookInput,
  EnableWebhookInput,
  RotateWebhookSecretInput,
  TenantWebhooksArgs,
  UserError,
  WebhookDeliveriesArgs,
} from './generated/resolvers.ts';
import { once } from './once.ts';
import { readId } from './read-id.ts';
import { userError } from './user-error.ts';

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
    const firstId = await once(tx, { operation: 'createWebhook', input }, async (): Promise<WebhookId> => {
      await insertWebhook(tx, { id, url, sealedSecret: sealWebhookSecret(context.apiKeyPepper, secret) });
      const details = { webhookId: encodeGlobalId('Webhook', id), url };
      await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'createWebhook', details });
      return id;
    });
    return { webhook: await findWebhook(tx, firstId), secret: firstId === id ? secret : null, userErrors };
  });
}

/**
 * Gives a webhook another secret. For a day both sign, so that the receiver can change over. The secret is in this answer
 * alone: a repeated call gets the webhook without it.
 */
export async function rotateWebhookSecret(
  context: TenantContext,
  input: RotateWebhookSecretInput,
): Promise<WebhookAnswer> {
  const { webhookId } = input;
  const id = readWebhookId(webhookId);
  if (typeof id !== 'string') return { webhook: null, secret: null, userErrors: [id] };
  const [secret, rotationId] = [newWebhookSecret(), randomUUID()];
  const rotation = {
    sealedSecret: sealWebhookSecret(context.apiKeyPepper, secret),
    previousUntil: new Date(Date.now() + ROTATION_OVERLAP_MS),
  };
  const { webhook, firstId } = await withTenant(context.db, requireTenant(context.viewer), async (tx) => {
    const first = await once(tx, { operation: 'rotateWebhookSecret', input }, async () => {
      if ((await replaceSecret(tx, id, rotation)) === null) return null;
      const event = { actor: actorOf(context.viewer), action: 'rotateWebhookSecret', details: { webhookId } } as const;
      await appendAuditEvent(tx, event);
      return rotationId;
    });
    return { webhook: first === null ? null : await findWebhook(tx, id), firstId: first };
  });
  return webhook === null
    ? { webhook, secret: null, userErrors: [noSuchWebhook(webhookId)] }
    : { webhook, secret: firstId === rotationId ? secret : null, userErrors: [] };
}

/** Lets a disabled webhook work again; one that works stays as it is. */
export async function enableWebhook(
  context: TenantContext,
  input: EnableWebhookInput,
): Promise<{ webhook: WebhookRow | null; userErrors: UserError[] }> {
  const { webhookId } = input;
  const id = readWebhookId(webhookId);
  if (typeof id !== 'string') return { webhook: null, userErrors: [id] };
  const webhook = await withTenant(context.db, requireTenant(context.viewer), async (tx) => {
    await once(tx, { operation: 'enableWebhook', input }, async () => {
      const event = { actor: actorOf(context.viewer), action: 'enableWebhook', details: { webhookId } } as const;
      if ((await letWork(tx, id)) !== null) await appendAuditEvent(tx, event);
    });
    return findWebhook(tx, id);
  });
  return { webhook, userErrors: webhook === null ? [noSuchWebhook(webhookId)] : [] };
}

/** Ends a webhook; what was sent to it is forgotten with it. */
export async function deleteWebhook(
  context: TenantContext,
  input: DeleteWebhookInput,
): Promise<{ deletedWebhookId: string | null; userErrors: UserError[] }> {
  const { webhookId } = input;
  const id = readWebhookId(webhookId);
  if (typeof id !== 'string') return { deletedWebhookId: null, userErrors: [id] };
  const isDeleted = await withTenant(context.db, requireTenant(context.viewer), (tx) =>
    once(tx, { operation: 'deleteWebhook', input }, async () => {
      const event = { actor: actorOf(context.viewer), action: 'deleteWebhook', details: { webhookId } } as const;
      if (!(await removeWebhook(tx, id))) return false;
      await appendAuditEvent(tx, event);
      return true;
    }),
  );
  return isDeleted
    ? { deletedWebhookId: webhookId, userErrors: [] }
    : { deletedWebhookId: null, userErrors: [noSuchWebhook(webhookId)] };
}

/** The tenant's webhook of this id. @throws AppError BAD_USER_INPUT for what is no id of a webhook. */
export async function readWebhook({ db, viewer }: TenantContext, globalId: string): Promise<WebhookRow | null> {
  const id = decodeGlobalId('Webhook', globalId);
  return withTenant(db, requireTenant(viewer), (tx) => findWebhook(tx, id));
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

export function readWebhookId(value: string): WebhookId | UserError {
  return readId('Webhook', { field: 'webhookId', value });
}

export function noSuchWebhook(webhookId: string): UserError {
  const message = `webhookId must be that of a webhook of this tenant, got "${webhookId}".`;
  return userError('NOT_FOUND', message, ['webhookId']);
}
