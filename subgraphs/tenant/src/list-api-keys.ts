import { listApiKeys as readApiKeys, type ApiKeyRow } from '@kindred/db/api-keys';
import { withTenant, type TenantRow } from '@kindred/db/tenants';
import { checkPageSize, decodeCursor } from '@kindred/domain/cursor';
import { decodeGlobalId, encodeGlobalId } from '@kindred/domain/ids';
import { type Connection, toConnection } from '@kindred/service/connection';
import type { TenantContext } from './context.ts';
import type { TenantApiKeysArgs } from './generated/resolvers.ts';

/**
 * A page of the tenant's API keys, newest first.
 * @throws AppError BAD_USER_INPUT for a page size or cursor that cannot be.
 */
export async function listApiKeys(
  { db }: TenantContext,
  tenant: TenantRow,
  args: TenantApiKeysArgs,
): Promise<Connection<ApiKeyRow>> {
  const { after } = args;
  const first = checkPageSize(args.first);
  const afterId = typeof after === 'string' ? decodeGlobalId('ApiKey', decodeCursor(after)) : null;
  const rows = await withTenant(db, tenant.id, (tx) => readApiKeys(tx, { first: first + 1, afterId }));
  return toConnection(rows, { first, after }, (apiKey) => encodeGlobalId('ApiKey', apiKey.id));
}
