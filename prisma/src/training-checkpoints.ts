import { AppError } from '@kindred/domain/app-error';
import type { TrainingRunId } from '@kindred/domain/ids';
import type { Checkpoint } from '@kindred/domain/training';
import type { TenantTx } from './tenants.ts';
import type { LockedRun } from './training-events.ts';

/** The newest may turn out to be damaged; then the one before it is gone on from. */
export const KEPT_CHECKPOINTS = 2;

/** Another attempt at training the run has begun since: this one must not write any more. */
export class SupersededError extends Error {
  override readonly name = 'SupersededError';
}

/**
 * Begins an attempt at training an open run; whatever attempt was under way is fenced off from now on.
 * @returns the fence to write with, and the checkpoints to go on from, newest first.
 * @throws AppError NOT_FOUND when the tenant has no such run that is open.
 */
export async function claimTrainingRun(
  tx: TenantTx,
  runId: TrainingRunId,
): Promise<{ fence: number; checkpoints: Checkpoint[] }> {
  const [claimed] = await tx.client.$queryRaw<{ fence: number; checkpoints: Checkpoint[] }[]>`
    UPDATE training_runs SET fence = fence + 1
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${runId}::uuid AND status IN ('QUEUED', 'RUNNING')
    RETURNING fence, checkpoints`;
  if (claimed === undefined) {
    throw new AppError('NOT_FOUND', `There is no open training run ${runId}.`);
  }
  return claimed;
}

/**
 * Makes these the checkpoints to go on from, newest first; those before are forgotten.
 * @returns the run, whose row is locked until the transaction ends.
 * @throws SupersededError when another attempt has claimed the run since, or the run has ended.
 */
export async function keepCheckpoints(
  tx: TenantTx,
  input: { runId: TrainingRunId; fence: number; checkpoints: readonly Checkpoint[] },
): Promise<LockedRun> {
  const { runId, fence, checkpoints } = input;
  const [kept] = await tx.client.$queryRaw<{ lastSequence: number }[]>`
    UPDATE training_runs SET checkpoints = ${JSON.stringify(checkpoints)}::jsonb
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${runId}::uuid AND fence = ${fence}
       AND status IN ('QUEUED', 'RUNNING')
    RETURNING last_sequence AS "lastSequence"`;
  if (kept === undefined) {
    throw new SupersededError(`The attempt ${fence} at the run ${runId} is over: it keeps nothing.`);
  }
  return { runId, ...kept };
}
