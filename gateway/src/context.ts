import type { Viewer } from '@kindred/domain/viewer';

/** What a call to a subgraph needs to know of the client's operation that it belongs to. */
export interface OperationContext {
  viewer: Viewer;
  traceId: string;
  /** Aborted when the client is gone or its time is up. */
  signal: AbortSignal;
  /** When the operation's time is up, by `performance.now()`; absent for what has no end, such as a subscription. */
  deadlineAt?: number;
}

// Past it a browser has given up, and the subgraphs' own time limits have struck.
export const OPERATION_TIMEOUT_MS = 30_000;

/** A signal that aborts with `parent`, or with a TimeoutError when an operation has taken too long. */
export function withDeadline(parent: AbortSignal): AbortSignal {
  return AbortSignal.any([parent, AbortSignal.timeout(OPERATION_TIMEOUT_MS)]);
}
