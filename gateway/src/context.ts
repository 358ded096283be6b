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
export class Deadline implements Pick<OperationContext, 'signal' | 'deadlineAt'>, Disposable {
  readonly signal: AbortSignal;
  readonly deadlineAt = performance.now() + OPERATION_TIMEOUT_MS;
  readonly #stop = new AbortController();
  readonly #parent: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;

  /** Its signal aborts when it is told, with `parent`, or with a TimeoutError when the operation has taken too long. */
  constructor(parent?: AbortSignal) {
    this.signal = this.#stop.signal;
    this.#parent = parent;
    this.#timer = setTimeout(() => this.abort(tooLong()), OPERATION_TIMEOUT_MS).unref();
    if (parent?.aborted) this.#follow();
    else parent?.addEventListener('abort', this.#follow, { once: true });
  }

  /** Nobody waits any more. */
  abort(reason?: unknown): void {
    this.#stop.abort(reason);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#parent?.removeEventListener('abort', this.#follow);
  }

  readonly #follow = (): void => this.abort(this.#parent?.reason);
}

function tooLong(): DOMException {
  return new DOMException('The operation took too long', 'TimeoutError');
}
