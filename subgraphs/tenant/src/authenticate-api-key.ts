import { findApiKey } from '@kindred/db/api-keys';
import type { ApiKeyId, TenantId } from '@kindred/domain/ids';
import { scopesOfApiKeyKind, type Scope } from '@kindred/domain/viewer';
import { digestApiKey, isApiKeySecret } from './api-key-secret.ts';
import type { TenantServices } from './context.ts';

export interface AuthenticatedApiKey {
  apiKeyId: ApiKeyId;
  tenantId: TenantId;
  scopes: readonly Scope[];
}

/** What a live API key stands for; null for a mistyped, unknown or revoked one. */
export async function authenticateApiKey(
  services: TenantServices,
  secret: string,
): Promise<AuthenticatedApiKey | null> {
  if (!isApiKeySecret(secret)) return null;
  const known = await findApiKey(services.db, digestApiKey(services.apiKeyPepper, secret));
  if (known === null) return null;
  return { apiKeyId: known.apiKeyId, tenantId: known.tenantId, scopes: scopesOfApiKeyKind(known.kind) };
}
