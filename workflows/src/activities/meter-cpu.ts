import type { Db } from '@kindred/db/client';
import { withTenant } from '@kindred/db/tenants';
import { addTrainingCpu } from '@kindred/db/training-runs';
import type { TrainModelInput } from '../contract.ts';

/**
 * The activity, whose run is told the time that it computed, whatever its end. That is what the process took meanwhile, all
 * threads together: for a worker that runs one at a time. An attempt whose worker is killed stays untold.
 */
export function meterCpu<Input extends TrainModelInput, Output>(
  { db }: { db: Db },
  activity: (input: Input) => Promise<Output>,
): (input: Input) => Promise<Output> {
  return async (input) => {
    const before = process.cpuUsage();
    try {
      return await activity(input);
    } finally {
      const { user, system } = process.cpuUsage(before);
      await withTenant(db, input.tenantId, (tx) => addTrainingCpu(tx, input.runId, (user + system) / 1000));
    }
  };
}
