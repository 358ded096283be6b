import type { Db } from '@kindred/db/client';
import { addJobCpu } from '@kindred/db/jobs';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { addTrainingCpu } from '@kindred/db/training-runs';
import type { TenantId } from '@kindred/domain/ids';
import type { TrainModelInput, TuneTrialInput } from '../contract.ts';

/** Tells what computed how long that was, in milliseconds of one core. */
type Charge<Input> = (tx: TenantTx, input: Input, cpuMs: number) => Promise<void>;

export const chargeRun: Charge<TrainModelInput> = (tx, { runId }, cpuMs) => addTrainingCpu(tx, runId, cpuMs);

export const chargeTuning: Charge<TuneTrialInput> = (tx, { jobId }, cpuMs) => addJobCpu(tx, jobId, cpuMs);

/**
 * The activity, whose run or tuning is told the time that it computed, whatever its end. That is what the process took meanwhile,
 * all threads together: for a worker that runs one at a time. An attempt whose worker is killed stays untold.
 */
export function meterCpu<Input extends { tenantId: TenantId }, Output>(
  { db }: { db: Db },
  activity: (input: Input) => Promise<Output>,
  charge: Charge<Input>,
): (input: Input) => Promise<Output> {
  return async (input) => {
    const before = process.cpuUsage();
    try {
      return await activity(input);
    } finally {
      const { user, system } = process.cpuUsage(before);
      await withTenant(db, input.tenantId, (tx) => charge(tx, input, (user + system) / 1000));
    }
  };
}
