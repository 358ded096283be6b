import { AppError } from '@kindred/domain/app-error';
import type { BatchRecommendationId, TrainingRunId, TuningId } from '@kindred/domain/ids';
import { type PlanName, PLANS } from '@kindred/domain/plans';
import type { TenantTx } from './tenants.ts';
import { findTrainingRuns, startTrainingRun, type TrainingRunRow } from './training-runs.ts';

/** A queued run whose workflow has not asked for so long has none. */
const GONE_AFTER = '2 minutes';

/** Whether the run has begun, or how many runs of the tenant go before it, itself included: 1 is the next. */
export type Admission = { run: TrainingRunRow; position: null } | { run: TrainingRunRow; position: number };

/**
 * Begins a QUEUED run if the tenant's plan has a place for it, in the order in which runs were asked for. A run that only waits for
 * users to judge its version, or is paused, takes no place; trials of tunings and batches of recommendations take some as well.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function admitTrainingRun(
  tx: TenantTx,
  { runId, executionId }: { runId: TrainingRunId; executionId: string | null },
): Promise<Admission> {
  await takeTurn(tx);
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

/**
 * Gives a trial of a running tuning a place, if the plan has one that no training waits for: it is RUNNING from then on. One that
 * has ended, or has a place, needs none.
 */
export async function admitTrial(
  tx: TenantTx,
  { tuningId, number }: { tuningId: TuningId; number: number },
): Promise<boolean> {
  await takeTurn(tx);
  const waits = await tx.client.tuningTrial.count({
    where: { tenantId: tx.tenantId, tuningId, number, status: 'WAITING', job: { status: 'RUNNING' } },
  });
  if (waits === 0) return true;
  if (!(await hasFreePlace(tx))) return false;
  await tx.client.tuningTrial.updateMany({
    where: { tenantId: tx.tenantId, tuningId, number },
    data: { status: 'RUNNING' },
  });
  return true;
}

/** Gives a queued batch a place, if the plan has one that no training waits for. One that has ended, or has a place, needs none. */
export async function admitBatch(tx: TenantTx, id: BatchRecommendationId): Promise<boolean> {
  await takeTurn(tx);
  const waiting = { tenantId: tx.tenantId, id, finishedAt: null, admittedAt: null };
  if ((await tx.client.job.count({ where: waiting })) === 0) return true;
  if (!(await hasFreePlace(tx))) return false;
  await tx.client.job.updateMany({ where: waiting, data: { admittedAt: new Date() } });
  return true;
}

/** What a tenant computes takes turns here until its transaction ends. */
async function takeTurn(tx: TenantTx): Promise<void> {
  await tx.client.$queryRaw`
    SELECT pg_advisory_xact_lock(hashtextextended('admission:' || ${tx.tenantId}::text, 0))::text`;
}

/** Whether the plan has a place that nothing takes and no training waits for. */
async function hasFreePlace(tx: TenantTx): Promise<boolean> {
  const { busy, waiting, plan } = await readPlaces(tx);
  return busy + waiting < PLANS[plan].concurrentTrainings;
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

interface Places {
  plan: PlanName;
  /** How many of the tenant's runs, trials and batches compute. */
  busy: number;
  /** How many of its runs wait for a place. */
  waiting: number;
}

async function readPlaces(tx: TenantTx): Promise<Places> {
  const [row] = await tx.client.$queryRaw<Places[]>`
    SELECT t.plan, (SELECT count(*)::int FROM training_runs r
                     WHERE r.tenant_id = t.id AND r.status = 'RUNNING' AND r.paused_at IS NULL
                       AND r.phase IS DISTINCT FROM 'CANARY')
                 + (SELECT count(*)::int FROM jobs j JOIN tuning_trials l ON l.tenant_id = j.tenant_id AND l.tuning_id = j.id
                     WHERE j.tenant_id = t.id AND j.kind = 'TUNING' AND j.status = 'RUNNING' AND l.status = 'RUNNING')
                 + (SELECT count(*)::int FROM jobs j
                     WHERE j.tenant_id = t.id AND j.kind = 'BATCH_RECOMMENDATION' AND j.status IN ('QUEUED', 'RUNNING')
                       AND j.admitted_at IS NOT NULL) AS busy,
           (SELECT count(*)::int FROM training_runs r
             WHERE r.tenant_id = t.id AND r.status = 'QUEUED' AND r.asked_at > now() - ${GONE_AFTER}::interval) AS waiting
      FROM tenants t WHERE t.id = ${tx.tenantId}::uuid`;
  if (row === undefined) throw new Error(`The tenant ${tx.tenantId} is gone.`);
  return row;
}
