import { admitTrainingRun } from '@kindred/db/training-admission';
import { withTenant } from '@kindred/db/tenants';
import type { DeviceRequest } from '@kindred/domain/training-device';
import { Context } from '@temporalio/activity';
import type { TrainModelInput } from '../contract.ts';
import { requireOpen } from '../open-run.ts';
import type { ActivityDeps } from './create-activities.ts';

/** Whether the run has begun, with what it is to compute on, or which place it has among those of its tenant that wait. */
export type AdmittedRun = { admitted: true; device: DeviceRequest } | { admitted: false; position: number };

/** Begins the run if its tenant has a place for one more. */
export async function admitRun(deps: ActivityDeps, { tenantId, runId }: TrainModelInput): Promise<AdmittedRun> {
  const executionId = Context.current().info.workflowExecution?.runId ?? null;
  const { run, position } = await withTenant(deps.db, tenantId, (tx) => admitTrainingRun(tx, { runId, executionId }));
  if (position !== null) {
    return { admitted: false, position };
  }
  const { deviceWish: wish, deviceFallback: mayFallBack } = requireOpen(run);
  return { admitted: true, device: { wish, mayFallBack } };
}
