import type { TenantTx } from './tenants.ts';

/** Whether at least `count` interactions were recorded after `since`, or at all where it is null. */
export async function hasNewInteractions(
  tx: TenantTx,
  { since, count }: { since: Date | null; count: number },
): Promise<boolean> {
  const from = since ?? new Date(0);
  const [found] = await tx.client.$queryRaw<[{ count: number }]>`
    SELECT count(*)::int AS count FROM (
      SELECT 1 FROM interactions WHERE tenant_id = ${tx.tenantId}::uuid AND recorded_at > ${from}::timestamptz
       LIMIT ${count}::int) fresh`;
  return found.count >= count;
}
