import { endCanaryOfRun } from '@kindred/db/canaries';
import { withTenant } from '@kindred/db/tenants';
import { appendTrainingEvent } from '@kindred/db/training-events';
import { finishTrainingRun } from '@kindred/db/training-runs';
import type { TenantId, TrainingRunId } from '@kindred/domain/ids';
import { trainingTopic } from '@kindred/domain/training';
import type { ModelDeps } from './context.ts';

/**
 * Ends an open run that no workflow works on, with its last event, which its watchers see; a run that has ended stays as it
 * is.
 */
export async function endRun(
  { db, events, logger }: ModelDeps,
  { tenantId, runId }: { tenantId: TenantId; runId: TrainingRunId },
  { status, message }: { status: 'FAILED' | 'CANCELLED'; message: string },
): Promise<void> {
  const body = { kind: 'FINISHED' as const, status, message };
  const failure = status === 'FAILED' ? message : null;
  const event = await withTenant(db, tenantId, async (tx) => {
    const run = await finishTrainingRun(tx, { runId, status, failure });
    await endCanaryOfRun(tx, runId, { status: 'ABORTED', reason: message });
    const endedHere = run.status === status && run.failure === failure;
    return endedHere ? appendTrainingEvent(tx, { runId, dedupeKey: 'finished', at: Date.now(), body }) : null;
  });
  if (event === null) {
    return;
  }
  try {
    await events.publish(trainingTopic(tenantId, runId), JSON.stringify(event));
  } catch (err) {
    logger.warn({ err, runId }, 'A live event was not published; its readers find it in the database.');
  }
}
