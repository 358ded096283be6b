import type { TenantId } from '@kindred/domain/ids';
import { Client } from 'pg';
import type { Db } from '@kindred/db/client';
import { withTenant } from '@kindred/db/tenants';
import { changePlan } from '@kindred/db/usage';

/** Puts the tenant on FREE and makes it count as storing and having started so much, as the owner of the tables alone can. */
export async function pretendUse(
  { db, ownerUrl }: { db: Db; ownerUrl: string },
  tenantId: TenantId,
  use: { items?: number; interactions?: number; trainings?: number },
): Promise<void> {
  await withTenant(db, tenantId, (tx) => changePlan(tx, 'FREE'));
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query('INSERT INTO tenant_counts (tenant_id, stripe, items, interactions) VALUES ($1, 99, $2, $3)', [
      tenantId,
      use.items ?? 0,
      use.interactions ?? 0,
    ]);
    await client.query(
      "INSERT INTO usage_days (tenant_id, day, stripe, trainings) VALUES ($1, (now() AT TIME ZONE 'UTC')::date, 99, $2)",
      [tenantId, use.trainings ?? 0],
    );
  } finally {
    await client.end();
  }
}
