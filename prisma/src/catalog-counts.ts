import type { TenantTx } from './tenants.ts';

export interface CatalogCounts {
  itemCount: number;
  userCount: number;
  interactionCount: number;
}

/** How much the tenant's catalogue holds. */
export async function countCatalog(tx: TenantTx): Promise<CatalogCounts> {
  const [counts] = await tx.client.$queryRaw<[CatalogCounts]>`
    SELECT (SELECT count(*)::int FROM items WHERE tenant_id = ${tx.tenantId}::uuid) AS "itemCount",
           (SELECT count(*)::int FROM users WHERE tenant_id = ${tx.tenantId}::uuid) AS "userCount",
           (SELECT count(*)::int FROM interactions WHERE tenant_id = ${tx.tenantId}::uuid) AS "interactionCount"`;
  return counts;
}
