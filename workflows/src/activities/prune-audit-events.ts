import { AlteredAuditLogError, pruneAuditLog } from '@kindred/db/retention';
import { withTenant } from '@kindred/db/tenants';
import type { TenantId } from '@kindred/domain/ids';
import { ApplicationFailure } from '@temporalio/activity';
import { withHeartbeat } from '../heartbeat.ts';
import type { ActivityDeps } from './create-activities.ts';

/** The tenant’s log is held for a batch at a time: whoever signs in meanwhile waits for that, not for all of a long log. */
const BATCH_SIZE = 5_000;

/** Deletes what is older than the tenant wants to keep its audit log, and says how many events that were. */
export async function pruneAuditEvents(
  { db }: Pick<ActivityDeps, 'db'>,
  { tenantId }: { tenantId: TenantId },
): Promise<number> {
  return withHeartbeat(async (signal) => {
    let eventCount = 0;
    while (true) {
      signal.throwIfAborted();
      const batchCount = await withTenant(db, tenantId, (tx) => pruneAuditLog(tx, BATCH_SIZE)).catch(refuseAltered);
      eventCount += batchCount;
      if (batchCount < BATCH_SIZE) return eventCount;
    }
  });
}

/** No other attempt finds it otherwise. */
function refuseAltered(error: unknown): never {
  if (error instanceof AlteredAuditLogError) throw ApplicationFailure.nonRetryable(error.message, error.name);
  throw error;
}
