import { AppError } from '@kindred/domain/app-error';
import type { TrainingRunId } from '@kindred/domain/ids';
import type { TrainingEvent, TrainingEventBody } from '@kindred/domain/training';
import type { TenantTx } from './tenants.ts';

/** An event to be; `at` in epoch milliseconds. */
export interface TrainingEventDraft {
  dedupeKey: string;
  at: number;
  body: TrainingEventBody;
}

/** A run whose row this transaction holds, and the number of its last event. */
export interface LockedRun {
  runId: TrainingRunId;
  lastSequence: number;
}

/**
 * Stores a run's next event, `sequence` counting from 1 without gaps; null when one of this `dedupeKey` is there.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function appendTrainingEvent(
  tx: TenantTx,
  { runId, ...draft }: TrainingEventDraft & { runId: TrainingRunId },
): Promise<TrainingEvent | null> {
  const [event = null] = await appendTrainingEvents(tx, runId, [draft]);
  return event;
}

/**
 * As `appendTrainingEvent`, several in their order, each with a `dedupeKey` of its own.
 * @returns those that were not there.
 */
export async function appendTrainingEvents(
  tx: TenantTx,
  runId: TrainingRunId,
  drafts: readonly TrainingEventDraft[],
): Promise<TrainingEvent[]> {
  // The row lock makes writers of one run take turns, so that each reads the number the one before it left.
  const runs = await tx.client.$queryRaw<{ lastSequence: number }[]>`
    SELECT last_sequence AS "lastSequence" FROM training_runs
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${runId}::uuid FOR NO KEY UPDATE`;
  const [run] = runs;
  if (run === undefined) {
    throw new AppError('NOT_FOUND', `There is no training run ${runId}.`);
  }
  return appendBehindLock(tx, { runId, lastSequence: run.lastSequence }, drafts);
}

/** `appendTrainingEvents` for who has locked the run's row, and read its last sequence behind the lock. */
export async function appendBehindLock(
  tx: TenantTx,
  { runId, lastSequence }: LockedRun,
  drafts: readonly TrainingEventDraft[],
): Promise<TrainingEvent[]> {
  const rows = drafts.map(({ dedupeKey, at, body }, place) => ({ place, key: dedupeKey, at: new Date(at), body }));
  const written = await tx.client.$queryRaw<{ sequence: number; key: string }[]>`
    WITH fresh AS (
      SELECT ${lastSequence}::int + (row_number() OVER (ORDER BY draft.place))::int AS sequence, draft.*
        FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) draft(place int, key text, at timestamptz, body jsonb)
       WHERE NOT EXISTS (SELECT FROM training_events told WHERE told.tenant_id = ${tx.tenantId}::uuid
                            AND told.run_id = ${runId}::uuid AND told.dedupe_key = draft.key)
    ), event AS (
      INSERT INTO training_events (tenant_id, run_id, sequence, dedupe_key, at, body)
      SELECT ${tx.tenantId}::uuid, ${runId}::uuid, sequence, key, at, body FROM fresh RETURNING sequence, dedupe_key
    ), counted AS (
      UPDATE training_runs SET last_sequence = (SELECT max(sequence) FROM event)
       WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${runId}::uuid AND EXISTS (SELECT FROM event)
    )
    SELECT sequence, dedupe_key AS key FROM event ORDER BY sequence`;
  const sequences = new Map(written.map(({ key, sequence }) => [key, sequence]));
  return drafts.flatMap(({ dedupeKey, at, body }) => {
    const sequence = sequences.get(dedupeKey);
    return sequence === undefined ? [] : [{ runId, sequence, at, body }];
  });
}

/** The last epoch that was told of a run; 0 before the first. */
export async function findLastEpoch(tx: TenantTx, runId: TrainingRunId): Promise<number> {
  const [found] = await tx.client.$queryRaw<{ epoch: number }[]>`
    SELECT coalesce(max((body->>'epoch')::int), 0) AS epoch FROM training_events
     WHERE tenant_id = ${tx.tenantId}::uuid AND run_id = ${runId}::uuid AND body->>'kind' = 'EPOCH_FINISHED'`;
  return found?.epoch ?? 0;
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
