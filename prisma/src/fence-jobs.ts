import type { JobId, JobKind } from '@kindred/domain/jobs';
import { cancelAbandonedJob } from './jobs.ts';
import type { TenantTx } from './tenants.ts';

const FENCED =
  'A user of the tenant was erased who may be in what this had read or written; start it again without the user.';

/**
 * Ends the jobs whose files may hold a user who is erased: from the commit on none of them comes further. These are all batches
 * of recommendations, also those whose file is still there and shall not be, and open tunings of interactions with the user.
 * @returns the jobs whose files are to be deleted.
 */
export async function fenceJobs(tx: TenantTx, { wasTrainedOn }: { wasTrainedOn: boolean }): Promise<JobId[]> {
  const jobs = await tx.client.$queryRaw<{ id: JobId; kind: JobKind }[]>`
    SELECT id, kind::text AS kind FROM jobs
     WHERE tenant_id = ${tx.tenantId}::uuid
       AND ((kind = 'TUNING' AND finished_at IS NULL AND ${wasTrainedOn})
         OR (kind = 'BATCH_RECOMMENDATION' AND (finished_at IS NULL OR (state->>'deletedAtMs') IS NULL)))
     ORDER BY id FOR NO KEY UPDATE`;
  for (const { id, kind } of jobs) {
    await cancelAbandonedJob(tx, id, FENCED);
    if (kind === 'BATCH_RECOMMENDATION') await forgetUsersOfBatch(tx, id);
  }
  return jobs.map(({ id }) => id);
}

/** Whom the batch was about goes with its file. */
async function forgetUsersOfBatch(tx: TenantTx, id: JobId): Promise<void> {
  await tx.client.$executeRaw`
    UPDATE jobs SET job_order = job_order || '{"userIds": []}',
           state = state || jsonb_build_object('deletedAtMs', ${Date.now()}::bigint)
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${id}::uuid`;
}
