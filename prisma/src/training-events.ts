import { AppError } from '@kindred/domain/app-error';
import type { TrainingRunId } from '@kindred/domain/ids';
import type { TrainingEvent, TrainingEventBody } from '@kindred/domain/training';
import type { TenantTx } from './tenants.ts';

/**
 * Stores a run's next event, `sequence` counting from 1 without gaps; null when one of this `dedupeKey` is there.
 * @param input.at epoch milliseconds.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function appendTrainingEvent(
  tx: TenantTx,
  input: { runId: TrainingRunId; dedupeKey: string; at: number; body: TrainingEventBody },
): Promise<TrainingEvent | null> {
  const { runId, dedupeKey, at, body } = input;
  // The row lock makes writers of one run take turns, so that each reads the number the one before it left.
  const runs = await tx.client.$queryRaw<{ lastSequence: number }[]>`
    SELECT last_sequence AS "lastSequence" FROM training_runs
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${runId}::uuid FOR NO KEY UPDATE`;
  const [run] = runs;
  if (run === undefined) {
    throw new AppError('NOT_FOUND', `There is no training run ${runId}.`);
  }
  const sequence = run.lastSequence + 1;
  const written = await tx.client.$executeRaw`
    WITH event AS (
      INSERT INTO training_events (tenant_id, run_id, sequence, dedupe_key, at, body)
      VALUES (${tx.tenantId}::uuid, ${runId}::uuid, ${sequence}, ${dedupeKey}, ${new Date(at)}::timestamptz,
              ${JSON.stringify(body)}::jsonb)
      ON CONFLICT (tenant_id, run_id, dedupe_key) DO NOTHING RETURNING sequence
    )
    UPDATE training_runs SET last_sequence = event.sequence FROM event
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${runId}::uuid`;
  return written === 0 ? null : { runId, sequence, at, body };
}

/** At most `limit` events of a run in order, from after `afterSequence`. */
export async function listTrainingEvents(
  tx: TenantTx,
  page: { runId: TrainingRunId; afterSequence: number; limit: number },
): Promise<TrainingEvent[]> {
  const rows = await tx.client.trainingEvent.findMany({
    where: { tenantId: tx.tenantId, runId: page.runId, sequence: { gt: page.afterSequence } },
    orderBy: { sequence: 'asc' },
    take: page.limit,
  });
  return rows.map((row) => ({
    runId: row.runId,
    sequence: row.sequence,
    at: row.at.getTime(),
    body: row.body as TrainingEventBody,
  }));
}
