import { revokeApiKey as markRevoked, type ApiKeyRow } from '@kindred/db/api-keys';
import { withTenant } from '@kindred/db/tenants';
import { requireTenant } from '@kindred/service/guards';
import type { TenantContext } from './context.ts';
import type { RevokeApiKeyInput, UserError } from './generated/resolvers.ts';
import { noSuchApiKey, readApiKeyId } from './read-api-key-id.ts';

/** Revokes an API key of the viewer's tenant; a key that is revoked already stays as it is. */
export async function revokeApiKey(
  context: TenantContext,
  input: RevokeApiKeyInput,
): Promise<{ apiKey: ApiKeyRow | null; userErrors: UserError[] }> {
  const id = readApiKeyId(input.apiKeyId);
  if (typeof id !== 'string') return { apiKey: null, userErrors: [id] };
  const apiKey = await withTenant(context.db, requireTenant(context.viewer), (tx) => markRevoked(tx, id));
  return { apiKey, userErrors: apiKey === null ? [noSuchApiKey(input.apiKeyId)] : [] };
}
