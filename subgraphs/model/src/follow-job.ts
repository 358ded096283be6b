import { type JobRow, listJobEvents } from '@kindred/db/jobs';
import { withTenant } from '@kindred/db/tenants';
import type { JobEvent } from '@kindred/domain/jobs';
import { EVENTS_PER_READ, subscribeToJob } from '@kindred/service/job-progress';
import type { ModelContext } from './context.ts';
import { clearLoaders } from './loaders.ts';

/** A job's events from after `afterSequence` on, each as `show` shows it, with what it leads to read anew. */
export function followJob<Shown>(
  { db, loaders, events, request }: ModelContext,
  wish: { job: JobRow; afterSequence: number | null | undefined; show: (event: JobEvent) => Shown },
): AsyncIterable<Shown> {
  const { job, afterSequence, show } = wish;
  const { tenantId, id: jobId } = job;
  const readAfter = (sequence: number) =>
    withTenant(db, tenantId, (tx) => listJobEvents(tx, { jobId, afterSequence: sequence, limit: EVENTS_PER_READ }));
  const showAnew = (event: JobEvent) => {
    clearLoaders(loaders);
    return show(event);
  };
  return subscribeToJob(
    { key: { tenantId, jobId }, job, events, readAfter, signal: request.signal, show: showAnew },
    afterSequence,
  );
}
