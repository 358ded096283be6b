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

/** A signal that aborts with `parent`, or with a TimeoutError when an operation has taken too long. */
export function withDeadline(parent: AbortSignal): Pick<OperationContext, 'signal' | 'deadlineAt'> {
  return {
    signal: AbortSignal.any([parent, AbortSignal.timeout(OPERATION_TIMEOUT_MS)]),
    deadlineAt: performance.now() + OPERATION_TIMEOUT_MS,
  };
}
