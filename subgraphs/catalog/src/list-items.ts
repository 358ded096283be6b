import { listItems as readItems, type ItemRow } from '@kindred/db/items';
import { withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import { checkPageSize, decodeCursor } from '@kindred/domain/cursor';
import { decodeGlobalId, encodeGlobalId } from '@kindred/domain/ids';
import { textProblem } from '@kindred/domain/text';
import { type Connection, toConnection } from '@kindred/service/connection';
import { requireTenant } from '@kindred/service/guards';
import type { CatalogContext } from './context.ts';
import type { QueryItemsArgs } from './generated/resolvers.ts';

/**
 * A page of the tenant's items in the order of their ids.
 * @throws AppError BAD_USER_INPUT for a page size, cursor or search text that cannot be.
 */
export async function listItems(context: CatalogContext, args: QueryItemsArgs): Promise<Connection<ItemRow>> {
  const { after, search } = args;
  const first = checkPageSize(args.first);
  const problem = typeof search === 'string' ? textProblem(search, [0, 200]) : null;
  if (problem !== null) throw new AppError('BAD_USER_INPUT', `search ${problem}.`);
  const afterId = typeof after === 'string' ? decodeGlobalId('Item', decodeCursor(after)) : null;
  const rows = await withTenant(context.db, requireTenant(context.viewer), (tx) =>
    readItems(tx, { first: first + 1, afterId, search }),
  );
  return toConnection(rows, { first, after }, (item) => encodeGlobalId('Item', item.id));
}
