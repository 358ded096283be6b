import { AppError } from '@kindred/domain/app-error';
import type { TrainingRunId } from '@kindred/domain/ids';
import { type PlanName, PLANS } from '@kindred/domain/plans';
import type { TenantTx } from './tenants.ts';
import { findTrainingRuns, startTrainingRun, type TrainingRunRow } from './training-runs.ts';

/** A queued run whose workflow has not asked for so long has none. */
const GONE_AFTER = '2 minutes';

/** Whether the run has begun, or how many runs of the tenant go before it, itself included: 1 is the next. */
export type Admission = { run: TrainingRunRow; position: null } | { run: TrainingRunRow; position: number };

/**
 * Begins a QUEUED run if the tenant's plan has a place for it, in the order in which runs were asked for. A run that only waits for
 * users to judge its version, or is paused, takes no place.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function admitTrainingRun(
  tx: TenantTx,
  { runId, executionId }: { runId: TrainingRunId; executionId: string | null },
): Promise<Admission> {
  // The tenant's runs take turns here.
  await tx.client.$queryRaw`
    SELECT pg_advisory_xact_lock(hashtextextended('admission:' || ${tx.tenantId}::text, 0))::text`;
  await tx.client.$executeRaw`
    UPDATE training_runs SET asked_at = now()
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${runId}::uuid AND status = 'QUEUED'`;
  const [run] = await findTrainingRuns(tx, [runId]);
  if (run === undefined) {
    throw new AppError('NOT_FOUND', `There is no training run ${runId}.`);
  }
  if (run.status !== 'QUEUED') {
    return { run, position: null };
  }
  const ahead = (await countAhead(tx, [runId])).get(runId) ?? 0;
  const { busy, plan } = await readPlaces(tx);
  if (busy + ahead < PLANS[plan].concurrentTrainings) {
    return { run: await startTrainingRun(tx, runId, executionId), position: null };
  }
  return { run, position: ahead + 1 };
}

/** How many queued runs of the tenant were asked for before each of these and wait for a place. */
export async function countAhead(tx: TenantTx, runIds: readonly TrainingRunId[]): Promise<Map<TrainingRunId, number>> {
  const rows = await tx.client.$queryRaw<{ id: TrainingRunId; count: number }[]>`
    SELECT own.id, count(*)::int AS count FROM unnest(${[...runIds]}::uuid[]) AS own (id)
      JOIN training_runs r ON r.tenant_id = ${tx.tenantId}::uuid AND r.status = 'QUEUED' AND r.id < own.id
       AND r.asked_at > now() - ${GONE_AFTER}::interval
     GROUP BY own.id`;
  return new Map(rows.map(({ id, count }) => [id, count]));
}

/** The tenant's plan, and how many of its runs compute. */
async function readPlaces(tx: TenantTx): Promise<{ plan: PlanName; busy: number }> {
  const [row] = await tx.client.$queryRaw<{ plan: PlanName; busy: number }[]>`
    SELECT t.plan, (SELECT count(*)::int FROM training_runs r
                     WHERE r.tenant_id = t.id AND r.status = 'RUNNING' AND r.paused_at IS NULL
                       AND r.phase IS DISTINCT FROM 'CANARY') AS busy
      FROM tenants t WHERE t.id = ${tx.tenantId}::uuid`;
  if (row === undefined) throw new Error(`The tenant ${tx.tenantId} is gone.`);
  return row;
}
