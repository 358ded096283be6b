import { patched, proxyActivities } from '@temporalio/workflow';
import type { DataActivities } from '../activities/create-activities.ts';
import type { Pruned } from '../activities/enforce-retention.ts';
import { TASK_QUEUES } from '../contract.ts';

const { findRetentionTenants, pruneTenant, pruneAuditEvents, pruneUploads } = proxyActivities<DataActivities>({
  taskQueue: TASK_QUEUES.data,
  startToCloseTimeout: '4 hours',
  heartbeatTimeout: '1 minute',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', maximumAttempts: 8 },
});

/** What went in a night: of tenants that want it, and uploads of all. */
export interface Night extends Pruned {
  tenantCount: number;
  failedCount: number;
  auditEventCount: number;
  uploadCount: number;
}

/**
 * Deletes what tenants do not want to keep any longer, one tenant after the other, and what they uploaded and did not import; a
 * tenant that fails does not stop the rest.
 */
export async function enforceRetention(): Promise<Night> {
  const total = {
    tenantCount: 0,
    failedCount: 0,
    interactionCount: 0,
    versionCount: 0,
    auditEventCount: 0,
    uploadCount: 0,
  };
  for (const tenantId of await findRetentionTenants()) {
    total.tenantCount += 1;
    try {
      const { interactionCount, versionCount } = await pruneTenant({ tenantId });
      total.interactionCount += interactionCount;
      total.versionCount += versionCount;
      if (patched('audit')) total.auditEventCount += await pruneAuditEvents({ tenantId });
    } catch {
      // The failure is in the history and the worker's log; the next night tries again.
      total.failedCount += 1;
    }
  }
  if (patched('uploads')) total.uploadCount = await pruneUploads();
  return total;
}
