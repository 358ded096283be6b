import type { Db } from '@kindred/db/client';
import { findJobs, type JobRow } from '@kindred/db/jobs';
import { withTenant } from '@kindred/db/tenants';
import type { TuningId } from '@kindred/domain/ids';
import type { TuningOrder, TuningState } from '@kindred/domain/tunings';
import { permanentFailure } from './failures.ts';
import type { JobRef } from './record-job.ts';

export type TuningRow = JobRow<TuningOrder, TuningState, TuningId>;

/** @throws JobClosed when the tuning has ended already, or is gone with its model. */
export async function loadTuning(db: Db, { tenantId, jobId }: JobRef<TuningId>): Promise<TuningRow> {
  const [job] = await withTenant(db, tenantId, (tx) => findJobs(tx, 'TUNING', [jobId]));
  if (job === undefined || job.finishedAt !== null) {
    throw permanentFailure('JobClosed', `The tuning ${jobId} had ended before its work was done.`);
  }
  return job as TuningRow;
}
