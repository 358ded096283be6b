import type { Db } from '@kindred/db/client';
import { withTenant } from '@kindred/db/tenants';
import { findTrainingRuns, type TrainingRunRow } from '@kindred/db/training-runs';
import { permanentFailure } from './failures.ts';
import { requireOpen } from './open-run.ts';
import type { RunRef } from './record-event.ts';

/** @throws RunClosed when the run has ended already, or is gone with its model. */
export async function loadRun(db: Db, { tenantId, runId }: RunRef): Promise<TrainingRunRow> {
  const [run] = await withTenant(db, tenantId, (tx) => findTrainingRuns(tx, [runId]));
  if (run === undefined) {
    throw permanentFailure('RunClosed', `The run ${runId} does not exist any more.`);
  }
  return requireOpen(run);
}
