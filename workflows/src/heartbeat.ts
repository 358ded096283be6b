import { Context } from '@temporalio/activity';

/** Well under the workflow's heartbeat timeout of ten seconds. */
const HEARTBEAT_EVERY_MS = 2000;

/**
 * Reports every two seconds that `work` goes on, with the details of the moment: the next attempt finds the last ones.
 * The signal ends the work when the workflow is cancelled, the attempt has been given up, or the worker shuts down.
 */
export async function withHeartbeat<T>(
  work: (signal: AbortSignal) => Promise<T>,
  details: () => unknown = () => undefined,
): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(details()), HEARTBEAT_EVERY_MS);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
