import { findApiKey, type KnownApiKey } from '@kindred/db/api-keys';
import { digestApiKey, isApiKeySecret } from './api-key-secret.ts';
import type { TenantServices } from './context.ts';

/** What a live API key stands for; null for a mistyped, unknown, expired or revoked one. */
export async function authenticateApiKey(
  { db, apiKeyPepper }: Pick<TenantServices, 'db' | 'apiKeyPepper'>,
  secret: string,
): Promise<KnownApiKey | null> {
  return isApiKeySecret(secret) ? await findApiKey(db, digestApiKey(apiKeyPepper, secret)) : null;
}
