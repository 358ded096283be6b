import { rotateApiKey as replaceApiKey, type ApiKeyRow, findApiKeys } from '@kindred/db/api-keys';
import { appendAuditEvent } from '@kindred/db/audit-log';
import { TakenError } from '@kindred/db/taken-error';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { type ApiKeyId, encodeGlobalId, newId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import { digestApiKey, newApiKeySecret, previewApiKey } from './api-key-secret.ts';
import { actorOf } from './audit.ts';
import type { TenantContext } from './context.ts';
import type { CreatedApiKey } from './create-api-key.ts';
import type { RotateApiKeyInput, UserError } from './generated/resolvers.ts';
import { noSuchApiKey } from './no-such-api-key.ts';
import { once } from './once.ts';
import { readId } from './read-id.ts';
import { userError } from './user-error.ts';

const MAX_OVERLAP_MINUTES = 43_200;

/**
 * Creates the successor of an API key of the viewer's tenant, beside which the old key works on for a while. Its secret is in
 * this answer alone: a repeated call gets the key without it.
 */
export async function rotateApiKey(context: TenantContext, input: RotateApiKeyInput): Promise<CreatedApiKey> {
  const id = readId('ApiKey', { field: 'apiKeyId', value: input.apiKeyId });
  if (typeof id !== 'string') return refuse(id);
  const { overlapMinutes } = input;
  if (overlapMinutes < 0 || overlapMinutes > MAX_OVERLAP_MINUTES) {
    const message = `overlapMinutes must be 0-${MAX_OVERLAP_MINUTES}, got ${overlapMinutes}.`;
    return refuse(userError('INVALID', message, ['overlapMinutes']));
  }
  const endsAt = new Date(Date.now() + overlapMinutes * 60_000);
  // Stays null where the call is a repeat.
  let secret: string | null = null;
  try {
    return await withTenant(context.db, requireTenant(context.viewer), async (tx) => {
      const rotated = await once(tx, { operation: 'rotateApiKey', input }, async (): Promise<Rotated> => {
        const [old] = await findApiKeys(tx, [id]);
        if (old === undefined) return { id: null, userErrors: [noSuchApiKey(input.apiKeyId)] };
        secret = newApiKeySecret(old.kind);
        const digest = digestApiKey(context.apiKeyPepper, secret);
        const successor = { id: newId('ApiKey'), preview: previewApiKey(secret), digest };
        return replace(tx, context, { old, endsAt, successor });
      });
      const [apiKey = null] = rotated.id === null ? [] : await findApiKeys(tx, [rotated.id]);
      return { apiKey, secret: apiKey === null ? null : secret, userErrors: rotated.userErrors };
    });
  } catch (error) {
    if (!(error instanceof TakenError)) throw error;
    const message =
      'apiKeyId must be that of a key that is alone, got one of two that are live: revoke one of them first.';
    return refuse(userError('CONFLICT', message, ['apiKeyId']));
  }
}

interface Rotated {
  id: ApiKeyId | null;
  userErrors: UserError[];
}

async function replace(
  tx: TenantTx,
  { viewer }: TenantContext,
  { old, ...rotation }: { old: ApiKeyRow } & Parameters<typeof replaceApiKey>[2],
): Promise<Rotated> {
  const apiKey = await replaceApiKey(tx, old.id, rotation);
  if (apiKey === null) return { id: null, userErrors: [notLive(old)] };
  const details = { apiKeyId: encodeGlobalId('ApiKey', old.id), successorId: encodeGlobalId('ApiKey', apiKey.id) };
  await appendAuditEvent(tx, { actor: actorOf(viewer), action: 'rotateApiKey', details });
  return { id: apiKey.id, userErrors: [] };
}

function notLive({ preview, revokedAt }: ApiKeyRow): UserError {
  const state = revokedAt === null ? 'has expired' : 'was revoked';
  return userError('CONFLICT', `apiKeyId must be that of a key that works, got ${preview}…, which ${state}.`, [
    'apiKeyId',
  ]);
}

function refuse(error: UserError): CreatedApiKey {
  return { apiKey: null, secret: null, userErrors: [error] };
}
