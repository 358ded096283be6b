import type { Db } from '@kindred/db/client';
import { findJobs, type JobRow } from '@kindred/db/jobs';
import { withTenant } from '@kindred/db/tenants';
import type { BatchRecommendationOrder, BatchRecommendationState } from '@kindred/domain/batch-recommendations';
import type { BatchRecommendationId } from '@kindred/domain/ids';
import { permanentFailure } from './failures.ts';
import type { JobRef } from './record-job.ts';

export type BatchRow = JobRow<BatchRecommendationOrder, BatchRecommendationState, BatchRecommendationId>;

/** @throws JobClosed when the batch has ended already, or is gone with its model. */
export async function loadBatch(db: Db, { tenantId, jobId }: JobRef<BatchRecommendationId>): Promise<BatchRow> {
  const [job] = await withTenant(db, tenantId, (tx) => findJobs(tx, 'BATCH_RECOMMENDATION', [jobId]));
  if (job === undefined || job.finishedAt !== null) {
    throw permanentFailure('JobClosed', `The batch ${jobId} had ended before its work was done.`);
  }
  return job as BatchRow;
}
