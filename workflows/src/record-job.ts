import { appendJobEvent } from '@kindred/db/jobs';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import type { TenantId } from '@kindred/domain/ids';
import { type JobEventBody, type JobId, jobTopic } from '@kindred/domain/jobs';
import { announce, type EventDeps } from './record-event.ts';

/** Whose job an event belongs to. */
export interface JobRef<Id extends JobId = JobId> {
  tenantId: TenantId;
  jobId: Id;
}

/** What a change of a job gave, and what its watchers are told of it: null for nothing. */
export interface JobChange<T> {
  result: T;
  event: { dedupeKey: string; body: JobEventBody } | null;
}

/** Changes a job and stores what its watchers are told in one transaction, then publishes it. */
export async function recordJobChange<T>(
  deps: EventDeps,
  { tenantId, jobId }: JobRef,
  change: (tx: TenantTx) => Promise<JobChange<T>>,
): Promise<T> {
  const { result, event } = await withTenant(deps.db, tenantId, async (tx) => {
    const { event: draft, result: given } = await change(tx);
    return { result: given, event: draft && (await appendJobEvent(tx, { jobId, at: Date.now(), ...draft })) };
  });
  if (event !== null) await announce(deps, jobTopic(tenantId, jobId), event);
  return result;
}
