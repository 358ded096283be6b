import { type ItemId, newId, type TenantId } from '@kindred/domain/ids';
import type { Db } from './client.ts';
import { Prisma } from './generated/client.ts';
import { readAsTenant } from './read-as-tenant.ts';
import type { TenantTx } from './tenants.ts';

export interface ItemRow {
  tenantId: TenantId;
  id: ItemId;
  externalId: string;
  title: string;
  categories: string[];
  properties: Record<string, unknown>;
  createdAt: Date;
  updatedAt: Date;
}

export interface NewItem {
  externalId: string;
  title: string;
  categories: readonly string[];
  properties: Readonly<Record<string, unknown>>;
}

/** Creates or replaces items by their `externalId`; of equal ones the last counts. The ids of the distinct items written. */
export async function upsertItems(tx: TenantTx, rows: readonly NewItem[]): Promise<ItemId[]> {
  const distinct = new Map(rows.map((row) => [row.externalId, row]));
  const json = JSON.stringify(
    [...distinct.values()].map((row) => ({
      id: newId('Item'),
      external_id: row.externalId,
      title: row.title,
      categories: row.categories,
      properties: row.properties,
    })),
  );
  // In the order of external_id, so that two concurrent batches lock their common items in the same order.
  const [answer] = await tx.client.$queryRaw<{ ids: ItemId[] | null }[]>`
    WITH written AS (
      INSERT INTO items (tenant_id, id, external_id, title, categories, properties)
      SELECT ${tx.tenantId}::uuid, r.id, r.external_id, r.title, r.categories, r.properties
        FROM jsonb_to_recordset(${json}::jsonb)
          AS r (id uuid, external_id text, title text, categories text[], properties jsonb)
       ORDER BY r.external_id
      ON CONFLICT (tenant_id, external_id) DO UPDATE
        SET title = excluded.title, categories = excluded.categories, properties = excluded.properties, updated_at = now()
      RETURNING id
    )
    SELECT array_agg(id) AS ids FROM written`;
  return answer?.ids ?? [];
}

/** The items of `ids` that the tenant has, in no order. */
export async function findItems(tx: TenantTx, ids: readonly ItemId[]): Promise<ItemRow[]> {
  const rows = await tx.client.item.findMany({ where: { tenantId: tx.tenantId, id: { in: [...ids] } } });
  return rows as ItemRow[];
}

/** The items of `externalIds` that the tenant has, in no order. */
export async function findItemsByExternalIds(tx: TenantTx, externalIds: readonly string[]): Promise<ItemRow[]> {
  const rows = await tx.client.item.findMany({
    where: { tenantId: tx.tenantId, externalId: { in: [...externalIds] } },
  });
  return rows as ItemRow[];
}

/** At most `first` items by ascending id from after `afterId`, of those whose title contains `search` in any case. */
export async function listItems(
  tx: TenantTx,
  page: { first: number; afterId?: ItemId | null | undefined; search?: string | null | undefined },
): Promise<ItemRow[]> {
  const rows = await tx.client.item.findMany({
    where: {
      tenantId: tx.tenantId,
      ...(page.afterId ? { id: { gt: page.afterId } } : {}),
      ...(page.search ? { title: { contains: escapeLike(page.search), mode: 'insensitive' as const } } : {}),
    },
    orderBy: { id: 'asc' },
    take: page.first,
  });
  return rows as ItemRow[];
}

/** What an item is like, for those who look at many. */
export type ItemFacts = Pick<ItemRow, 'id' | 'categories' | 'properties' | 'updatedAt'>;

const BEFORE_ALL_IDS = '00000000-0000-0000-0000-000000000000';

/** At most `first` items by ascending id from after `afterId`, in a transaction of their own. */
export async function readItemFacts(
  db: Db,
  tenantId: TenantId,
  { first, afterId }: { first: number; afterId: ItemId | null },
): Promise<ItemFacts[]> {
  const statement = Prisma.sql`
    SELECT id, categories, properties, updated_at AS "updatedAt" FROM items
     WHERE tenant_id = ${tenantId}::uuid AND id > ${afterId ?? BEFORE_ALL_IDS}::uuid
     ORDER BY id LIMIT ${first}`;
  return await readAsTenant<ItemFacts>(db, tenantId, { name: 'item-facts', statement, isPlannedOnce: true });
}

/** What those items are like that the tenant has of `ids`, in no order. */
export async function readItemFactsOf(db: Db, tenantId: TenantId, ids: readonly ItemId[]): Promise<ItemFacts[]> {
  const statement = Prisma.sql`
    SELECT id, categories, properties, updated_at AS "updatedAt" FROM items
     WHERE tenant_id = ${tenantId}::uuid AND id = ANY (${[...ids]}::uuid[])`;
  return await readAsTenant<ItemFacts>(db, tenantId, { name: 'item-facts-of', statement, isPlannedOnce: true });
}

/** When an item was written last. */
export type ItemStamp = Pick<ItemRow, 'id' | 'updatedAt'>;

/** The items that were written in the last `withinMs` by the database's clock, in no order. */
export async function readItemStamps(
  db: Db,
  tenantId: TenantId,
  { withinMs }: { withinMs: number },
): Promise<ItemStamp[]> {
  const statement = Prisma.sql`
    SELECT id, updated_at AS "updatedAt" FROM items
     WHERE tenant_id = ${tenantId}::uuid AND updated_at >= now() - ${withinMs}::float8 * interval '1 millisecond'`;
  return await readAsTenant<ItemStamp>(db, tenantId, { name: 'item-stamps', statement });
}

/** Items by falling number of interactions, then by id; items without any come last. */
export async function listPopularItems(
  tx: TenantTx,
  page: { first: number; offset: number; excludeIds: readonly ItemId[] },
): Promise<{ itemId: ItemId; interactionCount: number }[]> {
  return tx.client.$queryRaw<{ itemId: ItemId; interactionCount: number }[]>`
    SELECT i.id AS "itemId", coalesce(c.count, 0)::int AS "interactionCount"
      FROM items i
      LEFT JOIN (SELECT item_id, count(*) FROM interactions WHERE tenant_id = ${tx.tenantId}::uuid GROUP BY item_id) c
        ON c.item_id = i.id
     WHERE i.tenant_id = ${tx.tenantId}::uuid AND i.id <> ALL (${[...page.excludeIds]}::uuid[])
     ORDER BY coalesce(c.count, 0) DESC, i.id
     LIMIT ${page.first} OFFSET ${page.offset}`;
}

/** The text as a LIKE pattern of itself; the client adds the outer wildcards only. */
function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}
