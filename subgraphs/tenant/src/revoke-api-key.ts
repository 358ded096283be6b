import { revokeApiKey as markRevoked, type ApiKeyRow } from '@kindred/db/api-keys';
import { withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import { decodeGlobalId, type ApiKeyId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import type { TenantContext } from './context.ts';
import type { RevokeApiKeyInput, UserError } from './generated/resolvers.ts';
import { userError } from './user-error.ts';

/** Revokes an API key of the viewer's tenant; a key that is revoked already stays as it is. */
export async function revokeApiKey(
  context: TenantContext,
  input: RevokeApiKeyInput,
): Promise<{ apiKey: ApiKeyRow | null; userErrors: UserError[] }> {
  const id = readApiKeyId(input.apiKeyId);
  if (typeof id !== 'string') return { apiKey: null, userErrors: [id] };
  const apiKey = await withTenant(context.db, requireTenant(context.viewer), (tx) => markRevoked(tx, id));
  if (apiKey !== null) return { apiKey, userErrors: [] };
  const message = `apiKeyId must be that of a key of this tenant, got "${input.apiKeyId}".`;
  return { apiKey, userErrors: [userError('NOT_FOUND', message, ['apiKeyId'])] };
}

function readApiKeyId(globalId: string): ApiKeyId | UserError {
  try {
    return decodeGlobalId('ApiKey', globalId);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return userError('INVALID', error.message, ['apiKeyId']);
  }
}
