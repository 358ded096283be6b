import { rotateApiKey as replaceApiKey, type ApiKeyRow, findApiKeys } from '@kindred/db/api-keys';
import { appendAuditEvent } from '@kindred/db/audit-log';
import { TakenError } from '@kindred/db/taken-error';
import { withTenant } from '@kindred/db/tenants';
import { encodeGlobalId, newId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import { digestApiKey, newApiKeySecret, previewApiKey } from './api-key-secret.ts';
import { actorOf } from './audit.ts';
import type { TenantContext } from './context.ts';
import type { CreatedApiKey } from './create-api-key.ts';
import type { RotateApiKeyInput, UserError } from './generated/resolvers.ts';
import { noSuchApiKey } from './no-such-api-key.ts';
import { readId } from './read-id.ts';
import { userError } from './user-error.ts';

const MAX_OVERLAP_MINUTES = 43_200;

/** Creates the successor of an API key of the viewer's tenant, beside which the old key works on for a while. */
export async function rotateApiKey(context: TenantContext, input: RotateApiKeyInput): Promise<CreatedApiKey> {
  const id = readId('ApiKey', { field: 'apiKeyId', value: input.apiKeyId });
  if (typeof id !== 'string') return refuse(id);
  const { overlapMinutes } = input;
  if (overlapMinutes < 0 || overlapMinutes > MAX_OVERLAP_MINUTES) {
    const message = `overlapMinutes must be 0-${MAX_OVERLAP_MINUTES}, got ${overlapMinutes}.`;
    return refuse(userError('INVALID', message, ['overlapMinutes']));
  }
  const endsAt = new Date(Date.now() + overlapMinutes * 60_000);
  try {
    return await withTenant(context.db, requireTenant(context.viewer), async (tx) => {
      const [old] = await findApiKeys(tx, [id]);
      if (old === undefined) return refuse(noSuchApiKey(input.apiKeyId));
      const secret = newApiKeySecret(old.kind);
      const digest = digestApiKey(context.apiKeyPepper, secret);
      const successor = { id: newId('ApiKey'), preview: previewApiKey(secret), digest };
      const apiKey = await replaceApiKey(tx, id, { endsAt, successor });
      const details = { apiKeyId: input.apiKeyId, successorId: encodeGlobalId('ApiKey', successor.id) };
      if (apiKey !== null) {
        await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'rotateApiKey', details });
      }
      return apiKey === null ? refuse(notLive(old)) : { apiKey, secret, userErrors: [] };
    });
  } catch (error) {
    if (!(error instanceof TakenError)) throw error;
    const message =
      'apiKeyId must be that of a key that is alone, got one of two that are live: revoke one of them first.';
    return refuse(userError('CONFLICT', message, ['apiKeyId']));
  }
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
