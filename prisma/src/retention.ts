import type { ModelVersionId, TenantId } from '@kindred/domain/ids';
import type { Db } from './client.ts';
import type { TenantTx } from './tenants.ts';

/** How many days a tenant keeps what; null: for ever. */
export interface RetentionPolicy {
  interactionDays: number | null;
  versionDays: number | null;
  auditDays: number | null;
}

/** What a tenant has set; everything for ever where it has set nothing. */
export async function findRetentionPolicy(tx: TenantTx): Promise<RetentionPolicy> {
  const row = await tx.client.retentionPolicy.findUnique({ where: { tenantId: tx.tenantId } });
  return {
    interactionDays: row?.interactionDays ?? null,
    versionDays: row?.versionDays ?? null,
    auditDays: row?.auditDays ?? null,
  };
}

export async function setRetentionPolicy(tx: TenantTx, policy: RetentionPolicy): Promise<void> {
  const { tenantId } = tx;
  const data = { ...policy, updatedAt: new Date() };
  await tx.client.retentionPolicy.upsert({ where: { tenantId }, create: { tenantId, ...data }, update: data });
}

/** The tenants that have set something. */
export async function listRetentionTenants(db: Db): Promise<TenantId[]> {
  const { rows } = await db.pool.query<{ tenant_id: TenantId }>('SELECT tenant_id FROM retention_tenants()');
  return rows.map((row) => row.tenant_id);
}

/** Where a walk over a tenant's interactions stands: what was looked at, what was deleted. */
export interface PrunedBatch {
  /** The last id looked at; null behind the last one. */
  lastId: string | null;
  deletedCount: number;
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * Looks at the next `limit` interactions from after `afterId` and deletes those that occurred before `before`: a walk along the
 * primary key within the tenant's partition, each batch a transaction of its own.
 */
export async function pruneInteractions(
  tx: TenantTx,
  { before, afterId, limit }: { before: Date; afterId: string | null; limit: number },
): Promise<PrunedBatch> {
  const [batch] = await tx.client.$queryRaw<[{ lastId: string | null; seenCount: number; deletedCount: number }]>`
    WITH batch AS (
      SELECT id, occurred_at FROM interactions
       WHERE tenant_id = ${tx.tenantId}::uuid AND id > ${afterId ?? FIRST_ID}::uuid ORDER BY id LIMIT ${limit}::int
    ), gone AS (
      DELETE FROM interactions i USING batch b
       WHERE i.tenant_id = ${tx.tenantId}::uuid AND i.id = b.id AND b.occurred_at < ${before}::timestamptz RETURNING 1
    )
    SELECT (SELECT id::text FROM batch ORDER BY id DESC LIMIT 1) AS "lastId",
           (SELECT count(*)::int FROM batch) AS "seenCount", (SELECT count(*)::int FROM gone) AS "deletedCount"`;
  return { lastId: batch.seenCount < limit ? null : batch.lastId, deletedCount: batch.deletedCount };
}

/** Deletes the versions that do not answer and have not answered since before `before`, and says which they were. */
export async function pruneVersions(tx: TenantTx, before: Date): Promise<ModelVersionId[]> {
  const rows = await tx.client.$queryRaw<{ id: ModelVersionId }[]>`
    DELETE FROM model_versions
     WHERE tenant_id = ${tx.tenantId}::uuid AND status IN ('READY', 'RETIRED')
       AND greatest(created_at, activated_at) < ${before}::timestamptz
    RETURNING id`;
  return rows.map(({ id }) => id);
}

/** What was to be pruned of an audit log does not fit together. */
export class AlteredAuditLogError extends Error {
  override readonly name = 'AlteredAuditLogError';
}

/**
 * Deletes the oldest events of the tenant's audit log, at most `limit`, that are older than the tenant wants to keep them, and says
 * how many; the log tells of it and stays provable from there on.
 * @throws AlteredAuditLogError when what would be deleted was altered: it stays, as what shows that.
 */
export async function pruneAuditLog(tx: TenantTx, limit: number): Promise<number> {
  const [{ pruned, broken }] = await tx.client.$queryRaw<[{ pruned: number; broken: bigint | null }]>`
    SELECT pruned, broken FROM audit_prune(${limit}::int)`;
  if (broken === null) return pruned;
  throw new AlteredAuditLogError(
    `The audit log of tenant ${tx.tenantId} does not fit together at event ${broken}: not pruned.`,
  );
}
