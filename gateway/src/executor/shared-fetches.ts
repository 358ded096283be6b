import type { Viewer } from '@kindred/domain/viewer';
import type { OperationContext } from '../context.ts';
import { failure } from '../subgraph-client.ts';
import { stopListening } from './stop-listening.ts';
import { scopeOf, tenantOf } from './viewer-scope.ts';

/** Sends a body to a subgraph and gives the text of its answer. */
export type Send<T> = (context: OperationContext) => Promise<T>;

interface Fetch<T> {
  answer: Promise<T>;
  waiting: number;
  abort: AbortController;
}

/**
 * Queries under way, each shared by whoever sends the same to the same subgraph meanwhile with the same rights. Only
 * texts are shared: every reader parses its own copy. A shared fetch ends when all who wait for it are gone.
 */
export class SharedFetches<T> {
  /** By tenant, then by viewer, subgraph and body. */
  readonly #byTenant = new Map<string, Map<string, Fetch<T>>>();
  #sharedCount = 0;

  /** How often a fetch was saved. */
  get sharedCount(): number {
    return this.#sharedCount;
  }

  get(request: { name: string; body: string }, context: OperationContext, send: Send<T>): Promise<T> {
    const tenant = tenantOf(context.viewer);
    const key = `${request.name}\n${scopeOf(context.viewer)}\n${request.body}`;
    let fetches = this.#byTenant.get(tenant);
    if (fetches === undefined) this.#byTenant.set(tenant, (fetches = new Map()));
    let fetch = fetches.get(key);
    if (fetch === undefined) {
      fetch = start(send, context);
      fetches.set(key, fetch);
      const forget = () => this.#forget({ tenant, key }, fetch);
      fetch.answer.then(forget, forget);
    } else {
      this.#sharedCount += 1;
    }
    return wait(fetch, context.signal, () => this.#forget({ tenant, key }, fetch));
  }

  /** Whoever asks after a mutation of the tenant must see its effect: nobody joins a fetch that began before. */
  separate(viewer: Viewer): void {
    this.#byTenant.delete(tenantOf(viewer));
  }

  #forget({ tenant, key }: { tenant: string; key: string }, fetch: Fetch<T> | undefined): void {
    const fetches = this.#byTenant.get(tenant);
    if (fetches === undefined || fetches.get(key) !== fetch) return;
    fetches.delete(key);
    if (fetches.size === 0) this.#byTenant.delete(tenant);
  }
}

function start<T>(send: Send<T>, context: OperationContext): Fetch<T> {
  const abort = new AbortController();
  return { answer: send({ ...context, signal: abort.signal }), waiting: 0, abort };
}

/** The fetch's answer, or its failure as soon as this reader's own time is up. */
function wait<T>(fetch: Fetch<T>, signal: AbortSignal, onAbandon: () => void): Promise<T> {
  fetch.waiting += 1;
  return new Promise((resolve, reject) => {
    const leave = () => {
      fetch.waiting -= 1;
      if (fetch.waiting > 0) {
        reject(failure(signal.reason, signal));
        return;
      }
      onAbandon();
      // The last to leave learns from the fetch itself how it ended.
      fetch.answer.then(resolve, reject);
      fetch.abort.abort(signal.reason);
    };
    if (signal.aborted) {
      leave();
      return;
    }
    signal.addEventListener('abort', leave, { once: true });
    const settle = stopListening(signal, leave);
    fetch.answer.then(settle(resolve), settle(reject));
  });
}
