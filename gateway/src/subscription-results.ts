import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { Credential } from './auth.ts';
import type { StreamEvent } from './event-stream-reader.ts';
import { watchCredential } from './watch-credential.ts';

export interface SubscriptionResultsOptions {
  /** Ends with it; undefined where the connection does. */
  credential: Credential | undefined;
  open(signal: AbortSignal): AsyncGenerator<StreamEvent>;
  complete(event: StreamEvent, signal: AbortSignal): Promise<FormattedExecutionResult>;
  formatError(error: unknown): GraphQLFormattedError;
  /** Called once, when nothing is open any more. */
  onEnd(): void;
}

type Result = IteratorResult<FormattedExecutionResult, undefined>;

const DONE: Result = { done: true, value: undefined };

/**
 * The results of one subscription for one consumer, who asks for them one at a time. Returning it aborts the upstream
 * even while the consumer waits. An upstream that fails and a credential that ends become a last result with errors.
 */
export class SubscriptionResults implements AsyncIterableIterator<FormattedExecutionResult, undefined> {
  readonly #options: SubscriptionResultsOptions;
  readonly #abort = new AbortController();
  readonly #upstream: AsyncGenerator<StreamEvent>;
  readonly #stopWatching: () => void;
  #credentialError: unknown;
  #ended = false;

  constructor(options: SubscriptionResultsOptions) {
    this.#options = options;
    this.#upstream = options.open(this.#abort.signal);
    this.#stopWatching = options.credential === undefined ? () => {} : this.#watch(options.credential);
  }

  async next(): Promise<Result> {
    if (this.#ended) return DONE;
    try {
      const event = await this.#upstream.next();
      if (event.done !== true) {
        return { done: false, value: await this.#options.complete(event.value, this.#abort.signal) };
      }
      this.#end();
      return DONE;
    } catch (error) {
      // Whoever returned it asks for nothing more, and its abort is no failure.
      if (this.#hasEnded()) return DONE;
      this.#end();
      return { done: false, value: { errors: [this.#options.formatError(this.#credentialError ?? error)] } };
    }
  }

  return(): Promise<Result> {
    this.#end();
    return Promise.resolve(DONE);
  }

  throw(): Promise<Result> {
    return this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #watch(credential: Credential): () => void {
    return watchCredential(credential, (error) => {
      this.#credentialError ??= error;
      this.#abort.abort();
    });
  }

  // A method: it may have changed while `next` waited.
  #hasEnded(): boolean {
    return this.#ended;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopWatching();
    this.#abort.abort();
    this.#options.onEnd();
  }
}
