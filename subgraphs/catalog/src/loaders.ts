import { countCatalog, type CatalogCounts } from '@kindred/db/catalog-counts';
import type { Db } from '@kindred/db/client';
import { type InteractionPage, type InteractionRow, listInteractionsOfUsers } from '@kindred/db/interactions';
import type { ItemRow } from '@kindred/db/items';
import { findJobs } from '@kindred/db/jobs';
import { withTenant, type TenantTx } from '@kindred/db/tenants';
import { findUsers, type UserRow } from '@kindred/db/users';
import type { ImportId, ItemId, TenantId, UserId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { requireTenant } from '@kindred/service/guards';
import DataLoader from 'dataloader';
import type { ImportRow } from './imports.ts';
import type { ItemCache } from './item-cache.ts';

interface LoaderDeps {
  db: Db;
  itemCache: Pick<ItemCache, 'find'>;
  viewer: Viewer;
}

/** Per-request loaders: each batch is one transaction of the viewer's tenant, in which foreign rows do not exist. */
export interface Loaders {
  items: DataLoader<ItemId, ItemRow | null>;
  users: DataLoader<UserId, UserRow | null>;
  imports: DataLoader<ImportId, ImportRow | null>;
  interactions: DataLoader<InteractionPage, InteractionRow[], string>;
  catalogCounts: DataLoader<TenantId, CatalogCounts>;
}

export function createLoaders({ db, itemCache, viewer }: LoaderDeps): Loaders {
  const inTenant = <T>(work: (tx: TenantTx) => Promise<T>) => withTenant(db, requireTenant(viewer), work);
  return {
    items: rowLoader((ids) => itemCache.find(requireTenant(viewer), ids)),
    users: rowLoader(async (ids) => byId(await inTenant((tx) => findUsers(tx, ids)))),
    imports: rowLoader(async (ids) => byId((await inTenant((tx) => findJobs(tx, 'IMPORT', ids))) as ImportRow[])),
    interactions: new DataLoader((pages) => inTenant((tx) => listInteractionsOfUsers(tx, pages)), {
      cacheKeyFn: (page) => JSON.stringify([page.userId, page.first, page.afterCursorPosition]),
    }),
    // The tenant is always the viewer's own: see resolveTenant.
    catalogCounts: new DataLoader((tenantIds) => inTenant((tx) => inOrder(tenantIds, () => countCatalog(tx)))),
  };
}

function rowLoader<Id extends string, Row extends { id: Id }>(
  find: (ids: readonly Id[]) => Promise<ReadonlyMap<Id, Row>>,
): DataLoader<Id, Row | null> {
  return new DataLoader(async (ids) => {
    const rows = await find(ids);
    return ids.map((id) => rows.get(id) ?? null);
  });
}

function byId<Id extends string, Row extends { id: Id }>(rows: readonly Row[]): Map<Id, Row> {
  return new Map(rows.map((row) => [row.id, row]));
}

/** One after the other: a transaction has one connection. */
async function inOrder<Key, Value>(keys: readonly Key[], load: (key: Key) => Promise<Value>): Promise<Value[]> {
  const values: Value[] = [];
  for (const key of keys) values.push(await load(key));
  return values;
}
