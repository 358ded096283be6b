import type { TuningId } from '@kindred/domain/ids';
import type { HyperparameterSettings } from '@kindred/domain/training';
import type { TrialStatus } from '@kindred/domain/tunings';
import type { TenantTx } from './tenants.ts';

export interface TrialRow {
  number: number;
  status: TrialStatus;
  /** What the trial trains with instead of the tuning's base. */
  settings: HyperparameterSettings;
  /** The validation NDCG@10 of each epoch. */
  curve: number[];
  failure: string | null;
  /** Counts the attempts at the trial. */
  fence: number;
}

/** Which attempt at which trial writes. */
export interface TrialAttempt {
  tuningId: TuningId;
  number: number;
  fence: number;
}

/** The tuning has ended, or another attempt at the trial has begun: what this one would write must not count. */
export class TrialSupersededError extends Error {
  override readonly name = 'TrialSupersededError';

  constructor({ tuningId, number, fence }: TrialAttempt) {
    super(`The tuning ${tuningId} has ended, or its trial ${number} is past attempt ${fence}.`);
  }
}

/** Adds trials with these settings, numbered from 0; what is there already stays. */
export async function planTrials(
  tx: TenantTx,
  { tuningId, points }: { tuningId: TuningId; points: readonly HyperparameterSettings[] },
): Promise<void> {
  const rows = points.map((settings, number) => ({
    tenantId: tx.tenantId,
    tuningId,
    number,
    settings: { ...settings },
  }));
  await tx.client.tuningTrial.createMany({ data: rows, skipDuplicates: true });
}

/** At most `first` trials in order, from after the one of this number. */
export async function listTrials(
  tx: TenantTx,
  { tuningId, first, afterNumber }: { tuningId: TuningId; first: number; afterNumber: number },
): Promise<TrialRow[]> {
  const rows = await tx.client.tuningTrial.findMany({
    where: { tenantId: tx.tenantId, tuningId, number: { gt: afterNumber } },
    orderBy: { number: 'asc' },
    take: first,
    omit: { tenantId: true, tuningId: true },
  });
  return rows as (TrialRow & (typeof rows)[number])[];
}

/** Begins an attempt at a trial, from its first epoch; the ones before may write no more. Null when there is nothing to do. */
export async function claimTrial(
  tx: TenantTx,
  { tuningId, number }: { tuningId: TuningId; number: number },
): Promise<TrialRow | null> {
  const [row] = await tx.client.$queryRaw<TrialRow[]>`
    UPDATE tuning_trials t SET status = 'RUNNING', fence = t.fence + 1, curve = '{}'
      FROM jobs j
     WHERE t.tenant_id = ${tx.tenantId}::uuid AND t.tuning_id = ${tuningId}::uuid AND t.number = ${number}
       AND t.status IN ('WAITING', 'RUNNING')
       AND j.tenant_id = t.tenant_id AND j.id = t.tuning_id AND j.status = 'RUNNING'
    RETURNING t.number, t.status, t.settings, t.curve, t.failure, t.fence`;
  return row ?? null;
}

/** Adds the value of the attempt's next epoch. @throws TrialSupersededError */
export async function addTrialStep(tx: TenantTx, attempt: TrialAttempt, value: number): Promise<void> {
  const { tuningId, number, fence } = attempt;
  const written = await tx.client.$executeRaw`
    UPDATE tuning_trials t SET curve = t.curve || ${value}::double precision
      FROM jobs j
     WHERE t.tenant_id = ${tx.tenantId}::uuid AND t.tuning_id = ${tuningId}::uuid AND t.number = ${number}
       AND t.fence = ${fence} AND t.status = 'RUNNING'
       AND j.tenant_id = t.tenant_id AND j.id = t.tuning_id AND j.status = 'RUNNING'`;
  if (written === 0) throw new TrialSupersededError(attempt);
}

/** Ends a trial that has not ended, whichever attempt is at it. */
export async function endTrial(
  tx: TenantTx,
  input: { tuningId: TuningId; number: number; status: 'DONE' | 'STOPPED' | 'FAILED'; failure: string | null },
): Promise<void> {
  const { tuningId, number, status, failure } = input;
  await tx.client.tuningTrial.updateMany({
    where: { tenantId: tx.tenantId, tuningId, number, status: { in: ['WAITING', 'RUNNING'] } },
    data: { status, failure },
  });
}

/** Ends all trials of a tuning that have not ended. */
export async function stopTrials(tx: TenantTx, tuningId: TuningId): Promise<void> {
  await tx.client.tuningTrial.updateMany({
    where: { tenantId: tx.tenantId, tuningId, status: { in: ['WAITING', 'RUNNING'] } },
    data: { status: 'STOPPED' },
  });
}
