import type { ServerResponse } from 'node:http';
import { openEventStream, untilDrained } from '@kindred/service/event-stream';
import type { FormattedExecutionResult } from 'graphql';
import type { Credential } from './auth.ts';
import type { OperationResults } from './operation-results.ts';
import { watchCredential } from './watch-credential.ts';

export interface EventChannelOptions {
  credential: Credential;
  draining: AbortSignal;
  /** What every subscription is told last when the credential ends. */
  formatEnd(error: unknown): FormattedExecutionResult;
  /** Called once, when nothing is open any more. */
  onEnd(): void;
}

/**
 * One event stream that carries the results of many subscriptions, each under its id (graphql-sse, single connection
 * mode). A subscription is asked for its next result when the connection has taken the last: a slow reader holds back
 * its own upstreams, and at most one result of each waits here.
 */
export class EventChannel {
  readonly #options: EventChannelOptions;
  readonly #attached = Promise.withResolvers<ServerResponse>();
  readonly #subscriptions = new Map<string, OperationResults>();
  readonly #stopWatching: () => void;
  #response: ServerResponse | undefined;
  #roomy: Promise<void> = Promise.resolve();
  #stopHeartbeat = () => {};
  #hasEnded = false;

  constructor(options: EventChannelOptions) {
    this.#options = options;
    this.#stopWatching = watchCredential(options.credential, (error) => this.#endWith(options.formatEnd(error)));
    options.draining.addEventListener('abort', this.end, { once: true });
  }

  get isOpen(): boolean {
    return this.#response !== undefined;
  }

  get size(): number {
    return this.#subscriptions.size;
  }

  has(id: string): boolean {
    return this.#subscriptions.has(id);
  }

  /** Gives the channel the connection that it writes to; it ends with it. */
  open(response: ServerResponse): void {
    this.#response = response;
    this.#stopHeartbeat = openEventStream(response);
    response.once('close', this.end);
    this.#attached.resolve(response);
  }

  /** Carries the results from now on; results that come before the channel is open wait. */
  add(id: string, results: OperationResults): void {
    this.#subscriptions.set(id, results);
    void this.#carry(id, results);
  }

  stop(id: string): void {
    const results = this.#subscriptions.get(id);
    this.#subscriptions.delete(id);
    results?.end();
  }

  /** Leaves everything; the client takes it for a lost connection. */
  end = (): void => {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stopWatching();
    this.#stopHeartbeat();
    this.#options.draining.removeEventListener('abort', this.end);
    for (const id of this.#subscriptions.keys()) this.stop(id);
    this.#response?.end();
    this.#options.onEnd();
  };

  async #carry(id: string, results: OperationResults): Promise<void> {
    const response = await this.#attached.promise;
    for (;;) {
      await this.#roomy;
      const result = await ask(results);
      // It may have been stopped, and its id taken again, while it was waited for.
      if (this.#subscriptions.get(id) !== results) return;
      if (result === undefined) break;
      this.#write(response, 'next', nextOf(id, result));
    }
    this.#subscriptions.delete(id);
    this.#write(response, 'complete', JSON.stringify({ id }));
  }

  #write(response: ServerResponse, event: 'next' | 'complete', data: string): void {
    const fits = response.write(`event: ${event}\ndata: ${data}\n\n`);
    if (!fits && !this.#hasEnded) this.#roomy = untilDrained(response, this.#options.draining);
  }

  #endWith(last: FormattedExecutionResult): void {
    const text = JSON.stringify(last);
    if (this.#response !== undefined) {
      for (const id of this.#subscriptions.keys()) {
        this.#write(this.#response, 'next', nextOf(id, text));
        this.#write(this.#response, 'complete', JSON.stringify({ id }));
      }
    }
    this.end();
  }
}

function ask(results: OperationResults): Promise<string | undefined> {
  return new Promise((resolve) => {
    results.ask(resolve);
  });
}

/** A result that is JSON already, under its id. */
function nextOf(id: string, payload: string): string {
  return `{"id":${JSON.stringify(id)},"payload":${payload}}`;
}
