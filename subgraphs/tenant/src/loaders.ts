import { findAccounts, type AccountRow } from '@kindred/db/accounts';
import { findApiKeys, type ApiKeyRow } from '@kindred/db/api-keys';
import type { Db } from '@kindred/db/client';
import { readTenants, withTenant, type TenantRow, type TenantTx } from '@kindred/db/tenants';
import { findReceipts, type ReadReceiptLine } from '@kindred/db/erasure-receipts';
import type { AccountId, ApiKeyId, ErasureId, TenantId } from '@kindred/domain/ids';
import DataLoader from 'dataloader';

/** A row as one tenant sees it: a fresh session's tenant is not the (anonymous) viewer's. */
interface Key<Id> {
  tenantId: TenantId;
  id: Id;
}

type RowLoader<Id, Row> = DataLoader<Key<Id>, Row | null, string>;

/** Per-request loaders: each batch is one transaction per tenant asked for, in which foreign rows do not exist. */
export interface Loaders {
  tenants: RowLoader<TenantId, TenantRow>;
  accounts: RowLoader<AccountId, AccountRow>;
  apiKeys: RowLoader<ApiKeyId, ApiKeyRow>;
  receipts: RowLoader<ErasureId, { id: ErasureId; lines: ReadReceiptLine[] }>;
}

export function createLoaders(db: Db): Loaders {
  return {
    tenants: rowLoader((tenantId, ids) => readTenants(db, tenantId, ids)),
    accounts: rowLoader(within(db, findAccounts)),
    apiKeys: rowLoader(within(db, findApiKeys)),
    receipts: rowLoader(within(db, findReceipts)),
  };
}

type Read<Id, Row> = (tenantId: TenantId, ids: readonly Id[]) => Promise<Row[]>;

function within<Id, Row>(db: Db, find: (tx: TenantTx, ids: readonly Id[]) => Promise<Row[]>): Read<Id, Row> {
  return (tenantId, ids) => withTenant(db, tenantId, (tx) => find(tx, ids));
}

function rowLoader<Id extends string, Row extends { id: Id }>(read: Read<Id, Row>): RowLoader<Id, Row> {
  const nameOf = ({ tenantId, id }: Key<Id>): string => `${tenantId}/${id}`;
  return new DataLoader(
    async (keys) => {
      const found = new Map<string, Row>();
      for (const [tenantId, ofTenant] of Map.groupBy(keys, (key) => key.tenantId)) {
        const ids = ofTenant.map((key) => key.id);
        const rows = await read(tenantId, ids);
        for (const row of rows) found.set(nameOf({ tenantId, id: row.id }), row);
      }
      return keys.map((key) => found.get(nameOf(key)) ?? null);
    },
    { cacheKeyFn: nameOf },
  );
}
