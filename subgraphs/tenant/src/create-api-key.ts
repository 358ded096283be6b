import { createApiKey as insertApiKey, findApiKeys, type ApiKeyRow } from '@kindred/db/api-keys';
import { appendAuditEvent } from '@kindred/db/audit-log';
import { withIdempotencyKey } from '@kindred/db/idempotency';
import { withTenant, type TenantTx } from '@kindred/db/tenants';
import { encodeGlobalId, newId, type ApiKeyId } from '@kindred/domain/ids';
import { type Scope, scopesOfApiKeyKind } from '@kindred/domain/viewer';
import { requireTenant } from '@kindred/service/guards';
import { digestApiKey, newApiKeySecret, previewApiKey } from './api-key-secret.ts';
import { actorOf } from './audit.ts';
import { checkApiKey } from './check-api-key.ts';
import type { TenantContext } from './context.ts';
import type { CreateApiKeyInput, UserError } from './generated/resolvers.ts';

export interface CreatedApiKey {
  apiKey: ApiKeyRow | null;
  secret: string | null;
  userErrors: UserError[];
}

/** Creates an API key of the viewer's tenant. Its secret is in this answer alone: a repeated call gets the key without it. */
export async function createApiKey(context: TenantContext, input: CreateApiKeyInput): Promise<CreatedApiKey> {
  const { kind, idempotencyKey } = input;
  const name = input.name.trim();
  const rules = {
    scopes: (input.scopes as Scope[] | null | undefined) ?? scopesOfApiKeyKind(kind),
    allowedOrigins: input.allowedOrigins ?? [],
    expiresAt: input.expiresAt ?? null,
  };
  const userErrors = checkApiKey(input);
  if (userErrors.length > 0) return { apiKey: null, secret: null, userErrors };
  return withTenant(context.db, requireTenant(context.viewer), async (tx) => {
    const id = newId('ApiKey');
    const secret = newApiKeySecret(kind);
    const insert = async (): Promise<ApiKeyId> => {
      const digest = digestApiKey(context.apiKeyPepper, secret);
      await insertApiKey(tx, { id, name, kind, ...rules, preview: previewApiKey(secret), digest, replacesId: null });
      const details = { apiKeyId: encodeGlobalId('ApiKey', id), name, kind };
      await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'createApiKey', details });
      return id;
    };
    const firstId =
      typeof idempotencyKey === 'string'
        ? await withIdempotencyKey(
            tx,
            { operation: 'createApiKey', key: idempotencyKey, request: { name, kind, ...rules } },
            insert,
          )
        : await insert();
    return { apiKey: await findFirst(tx, firstId), secret: firstId === id ? secret : null, userErrors };
  });
}

async function findFirst(tx: TenantTx, id: ApiKeyId): Promise<ApiKeyRow | null> {
  const [apiKey] = await findApiKeys(tx, [id]);
  return apiKey ?? null;
}
