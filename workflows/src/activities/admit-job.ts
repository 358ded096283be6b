import { withTenant } from '@kindred/db/tenants';
import { admitBatch as giveBatchPlace, admitTrial as giveTrialPlace } from '@kindred/db/training-admission';
import type { BatchRecommendationId } from '@kindred/domain/ids';
import type { JobRef } from '../record-job.ts';
import type { ActivityDeps } from './create-activities.ts';
import type { TrialRef } from './run-trial.ts';

/** Whether the trial may begin: its tenant has a place for it, or nothing is left to do. */
export async function admitTrial({ db }: ActivityDeps, { tenantId, jobId, trial }: TrialRef): Promise<boolean> {
  return withTenant(db, tenantId, (tx) => giveTrialPlace(tx, { tuningId: jobId, number: trial }));
}

/** Whether the batch may begin: its tenant has a place for it, or nothing is left to do. */
export async function admitBatch({ db }: ActivityDeps, input: JobRef<BatchRecommendationId>): Promise<boolean> {
  return withTenant(db, input.tenantId, (tx) => giveBatchPlace(tx, input.jobId));
}
