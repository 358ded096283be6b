import type { AccountRow } from '@kindred/db/accounts';
import type { ApiKeyRow } from '@kindred/db/api-keys';
import type { PublishedDocumentRow } from '@kindred/db/published-documents';
import type { TenantContext } from './context.ts';

/** The account that published a document; null where a key did, or it has left. */
export async function findPublisherAccount(
  { tenantId, publisher }: PublishedDocumentRow,
  { loaders }: TenantContext,
): Promise<AccountRow | null> {
  if (publisher?.kind !== 'account' && publisher?.kind !== 'operator') return null;
  return await loaders.accounts.load({ tenantId, id: publisher.id });
}

/** The key that published a document; null where an account did. */
export async function findPublisherKey(
  { tenantId, publisher }: PublishedDocumentRow,
  { loaders }: TenantContext,
): Promise<ApiKeyRow | null> {
  return publisher?.kind === 'apiKey' ? await loaders.apiKeys.load({ tenantId, id: publisher.id }) : null;
}
