import type { PlanName } from '@kindred/domain/plans';
import type { TenantTx } from './tenants.ts';

/** What one kind of operation of one credential spent on a day. */
export interface UsageEntry {
  /** In UTC, as `2026-11-26`. */
  day: string;
  operation: string;
  credential: string;
  requests: number;
  points: number;
  recommendations: number;
}

/** Adds a batch to the tenant's ledger; one that is there already, or the part of it that is, changes nothing. */
export async function recordUsage(tx: TenantTx, batchId: string, entries: readonly UsageEntry[]): Promise<void> {
  await tx.client.$executeRaw`
    INSERT INTO usage_ledger (tenant_id, batch_id, day, operation, credential, requests, points, recommendations)
    SELECT ${tx.tenantId}::uuid, ${batchId}::uuid, r.*
      FROM jsonb_to_recordset(${JSON.stringify(entries)}::jsonb)
        AS r (day date, operation text, credential text, requests bigint, points bigint, recommendations bigint)
    ON CONFLICT (tenant_id, batch_id, day, operation, credential) DO NOTHING`;
}

/** What a tenant used on a day. */
export interface UsageOfDay {
  /** In UTC, as `2026-11-26`. */
  day: string;
  requests: number;
  points: number;
  recommendations: number;
  /** Recorded on that day. */
  interactions: number;
  /** Begun on that day. */
  trainings: number;
  trainingCpuMs: number;
}

/** The days of a month, given as `2026-11`, on which something was used, in order. */
export async function listUsageDays(tx: TenantTx, month: string): Promise<UsageOfDay[]> {
  return tx.client.$queryRaw<UsageOfDay[]>`
    SELECT day::text, sum(requests)::float8 AS requests, sum(points)::float8 AS points,
           sum(recommendations)::float8 AS recommendations, sum(interactions)::float8 AS interactions,
           sum(trainings)::float8 AS trainings, sum(training_cpu_ms)::float8 AS "trainingCpuMs"
      FROM usage_days
     WHERE tenant_id = ${tx.tenantId}::uuid AND day >= ${`${month}-01`}::date
       AND day < ${`${month}-01`}::date + interval '1 month'
     GROUP BY day ORDER BY day`;
}

/** The tenant's plan, and what its ledger says that it spent in a month, given as `2026-11`; null when there is no such tenant. */
export async function findAllowance(
  tx: TenantTx,
  month: string,
): Promise<{ plan: PlanName; requests: number; points: number } | null> {
  const [row] = await tx.client.$queryRaw<{ plan: PlanName; requests: number; points: number }[]>`
    SELECT t.plan, coalesce(sum(d.requests), 0)::float8 AS requests, coalesce(sum(d.points), 0)::float8 AS points
      FROM tenants t
      LEFT JOIN usage_days d ON d.tenant_id = t.id AND d.day >= ${`${month}-01`}::date
            AND d.day < ${`${month}-01`}::date + interval '1 month'
     WHERE t.id = ${tx.tenantId}::uuid GROUP BY t.plan`;
  return row ?? null;
}

/** Gives the tenant another plan; the one that it had, or null when there is no such tenant. */
export async function changePlan(tx: TenantTx, plan: PlanName): Promise<PlanName | null> {
  const [row] = await tx.client.$queryRaw<{ plan: PlanName }[]>`
    SELECT plan FROM tenants WHERE id = ${tx.tenantId}::uuid FOR UPDATE`;
  if (row === undefined) return null;
  await tx.client.tenant.update({ where: { id: tx.tenantId }, data: { plan } });
  return row.plan;
}
