import { AppError } from '@kindred/domain/app-error';
import { type JobEvent, jobTopic } from '@kindred/domain/jobs';
import type { EventBus } from './event-bus.ts';
import type { JobKey } from './job-workflows.ts';
import { streamProgress } from './progress-stream.ts';

/** So many stored events are read at once. */
export const EVENTS_PER_READ = 500;
const RECHECK_MS = 5_000;

/**
 * A job's events from after `afterSequence`, first the stored ones, then live; ends behind the last. Each becomes what
 * `show` makes of it.
 * @throws AppError BAD_USER_INPUT for a sequence below 0.
 */
export function subscribeToJob<Shown>(
  source: {
    key: JobKey;
    job: { lastSequence: number; finishedAt: Date | null };
    events: Pick<EventBus, 'subscribe'>;
    readAfter: (sequence: number) => Promise<JobEvent[]>;
    signal: AbortSignal;
    show: (event: JobEvent) => Shown;
  },
  sequence: number | null | undefined,
): AsyncIterableIterator<Shown> {
  const { key, job, events, readAfter, signal, show } = source;
  const afterSequence = sequence ?? 0;
  if (afterSequence < 0) throw new AppError('BAD_USER_INPUT', `afterSequence must be 0 or more, got ${afterSequence}.`);
  const stream = streamProgress<JobEvent>(
    {
      readAfter,
      subscribe: (until) => events.subscribe(jobTopic(key.tenantId, key.jobId), until),
      recheckMs: RECHECK_MS,
      isOver: job.finishedAt !== null && afterSequence >= job.lastSequence,
      signal,
    },
    afterSequence,
  );
  return {
    async next() {
      const { done, value } = await stream.next();
      return done === true ? { done, value: undefined } : { done: false, value: show(value) };
    },
    async return() {
      await stream.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
