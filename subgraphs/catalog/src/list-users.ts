import { withTenant } from '@kindred/db/tenants';
import { listUsers as readUsers, type UserRow } from '@kindred/db/users';
import { checkPageSize, decodeCursor } from '@kindred/domain/cursor';
import { decodeGlobalId, encodeGlobalId } from '@kindred/domain/ids';
import { type Connection, toConnection } from '@kindred/service/connection';
import { requireTenant } from '@kindred/service/guards';
import type { CatalogContext } from './context.ts';
import type { QueryUsersArgs } from './generated/resolvers.ts';

/**
 * A page of the tenant's end users in the order of their ids.
 * @throws AppError BAD_USER_INPUT for a page size or cursor that cannot be.
 */
export async function listUsers(context: CatalogContext, args: QueryUsersArgs): Promise<Connection<UserRow>> {
  const { after } = args;
  const first = checkPageSize(args.first);
  const afterId = typeof after === 'string' ? decodeGlobalId('User', decodeCursor(after)) : null;
  const rows = await withTenant(context.db, requireTenant(context.viewer), (tx) =>
    readUsers(tx, { first: first + 1, afterId }),
  );
  return toConnection(rows, { first, after }, (user) => encodeGlobalId('User', user.id));
}
