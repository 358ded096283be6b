import type { ServerResponse } from 'node:http';
import { readDeadline } from './request-deadline.ts';
import { currentTraceId } from './trace.ts';

/** What a resolver context may know of the request besides its viewer. */
export interface SubgraphRequest {
  /** Aborted when the client goes away or no longer waits, or the server drains: end subscriptions and long work with it. */
  readonly signal: AbortSignal;
  traceId: string;
  /** When the caller stops waiting, as `performance.now()` tells it; null when it did not say. */
  deadlineAt: number | null;
  /** Where the client's connection came from, by the gateway's word; null when the gateway itself asks. */
  clientAddress: string | null;
}

/** The way that a request came, for as long as its caller waits there. */
export interface Exchange {
  /** What the caller said of how long it waits; see `readDeadline`. */
  timeout: string | undefined;
  /** Whether it is answered, or its caller gone. */
  readonly closed: boolean;
  /** Tells of it once. */
  onClose(listener: () => void): void;
}

export function httpExchange(res: ServerResponse, timeout: string | string[] | undefined): Exchange {
  return {
    timeout: typeof timeout === 'string' ? timeout : undefined,
    get closed() {
      return res.closed;
    },
    onClose: (listener) => void res.once('close', listener),
  };
}

interface RequestParts {
  exchange: Exchange;
  clientAddress: string | null;
  draining: AbortSignal;
}

/** A request as resolver contexts see it; what few of them look at is made when it is looked at. */
export class RequestOf implements SubgraphRequest {
  readonly traceId = currentTraceId();
  readonly deadlineAt: number | null;
  readonly clientAddress: string | null;
  readonly #draining: AbortSignal;
  readonly #exchange: Exchange;
  #signal: AbortSignal | undefined;

  constructor({ exchange, clientAddress, draining }: RequestParts) {
    this.clientAddress = clientAddress;
    this.deadlineAt = readDeadline(exchange.timeout, performance.now());
    this.#exchange = exchange;
    this.#draining = draining;
  }

  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    const gone = new AbortController();
    const leave = () => gone.abort();
    if (this.#exchange.closed) leave();
    else {
      const leftMs = this.deadlineAt === null ? null : Math.max(0, Math.ceil(this.deadlineAt - performance.now()));
      const late = leftMs === null ? undefined : setTimeout(leave, leftMs).unref();
      this.#exchange.onClose(() => {
        // A timer would keep the request for all of its time.
        clearTimeout(late);
        leave();
      });
    }
    this.#signal = AbortSignal.any([gone.signal, this.#draining]);
    return this.#signal;
  }
}
