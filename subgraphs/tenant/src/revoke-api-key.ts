import { findApiKeys, revokeApiKey as markRevoked, type ApiKeyRow } from '@kindred/db/api-keys';
import { appendAuditEvent } from '@kindred/db/audit-log';
import { withTenant } from '@kindred/db/tenants';
import { requireTenant } from '@kindred/service/guards';
import { actorOf } from './audit.ts';
import type { TenantContext } from './context.ts';
import type { RevokeApiKeyInput, UserError } from './generated/resolvers.ts';
import { noSuchApiKey } from './no-such-api-key.ts';
import { once } from './once.ts';
import { readId } from './read-id.ts';

/** Revokes an API key of the viewer's tenant; a key that is revoked already stays as it is. */
export async function revokeApiKey(
  context: TenantContext,
  input: RevokeApiKeyInput,
): Promise<{ apiKey: ApiKeyRow | null; userErrors: UserError[] }> {
  const id = readId('ApiKey', { field: 'apiKeyId', value: input.apiKeyId });
  if (typeof id !== 'string') return { apiKey: null, userErrors: [id] };
  const apiKey = await withTenant(context.db, requireTenant(context.viewer), async (tx) => {
    await once(tx, { operation: 'revokeApiKey', input }, async () => {
      if ((await markRevoked(tx, id)) === null) return;
      const details = { apiKeyId: input.apiKeyId };
      await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'revokeApiKey', details });
    });
    const [revoked] = await findApiKeys(tx, [id]);
    return revoked ?? null;
  });
  return { apiKey, userErrors: apiKey === null ? [noSuchApiKey(input.apiKeyId)] : [] };
}
