import type { Viewer } from '@kindred/domain/viewer';

/** What a call to a subgraph needs to know of the client's operation that it belongs to. */
export interface OperationContext {
  viewer: Viewer;
  traceId: string;
  /** Where the client's connection came from; none for the gateway's own questions. */
  clientAddress?: string | undefined;
  /** Aborted when the client is gone or its time is up. */
  signal: AbortSignal;
  /** When its time is up, by `performance.now()`; subgraphs are told how much is left. */
  deadlineAt: number;
}

// Past it a browser has given up, and the subgraphs' own time limits have struck.
export const OPERATION_TIMEOUT_MS = 30_000;

/** The time of one operation. To be disposed of when the operation is over: a timer would keep it for all of its time. */
export interface Deadline extends Pick<OperationContext, 'signal' | 'deadlineAt'>, Disposable {
  /** Nobody waits any more. */
  abort(reason?: unknown): void;
}

/** A signal that aborts when it is told, with `parent`, or with a TimeoutError when an operation has taken too long. */
export function startDeadline(parent?: AbortSignal): Deadline {
  const stop = new AbortController();
  const follow = () => stop.abort(parent?.reason);
  if (parent?.aborted) follow();
  else parent?.addEventListener('abort', follow, { once: true });
  const tooLong = () => stop.abort(new DOMException('The operation took too long', 'TimeoutError'));
  const timer = setTimeout(tooLong, OPERATION_TIMEOUT_MS).unref();
  return {
    signal: stop.signal,
    deadlineAt: performance.now() + OPERATION_TIMEOUT_MS,
    abort: (reason) => stop.abort(reason),
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      parent?.removeEventListener('abort', follow);
    },
  };
}
