import { AppError } from '@kindred/domain/app-error';
import type { Dispatcher } from 'undici';
import { EventStreamReader, type StreamEvent } from './event-stream-reader.ts';

type Next = IteratorResult<StreamEvent, undefined>;

const DONE: Next = { done: true, value: undefined };
/** So many that nobody has taken hold their connection back. */
const MANY = 16;
/** Of an answer that is no stream, for the log. */
const MOST_REFUSAL_CHARS = 500;

export interface UpstreamEventsOptions {
  /** Of the subgraph. */
  name: string;
  signal: AbortSignal;
  /** Why there is no answer. */
  failureOf(cause: unknown): Error;
}

/**
 * The results of one subscription at a subgraph, which are taken one at a time: bytes of its answer become results with no
 * stream in between. Those that nobody takes hold the connection back. The signal ends it.
 */
export class UpstreamEvents implements AsyncIterator<StreamEvent, undefined>, Dispatcher.DispatchHandler {
  readonly #options: UpstreamEventsOptions;
  readonly #reader = new EventStreamReader();
  readonly #events: StreamEvent[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #taker: PromiseWithResolvers<Next> | undefined;
  #isHeldBack = false;
  #hasBegun = false;
  /** Of an answer that is no event stream. */
  #refusal: { statusCode: number; chunks: Buffer[] } | undefined;
  #end: { failure: Error | undefined } | undefined;

  constructor(options: UpstreamEventsOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', this.#abort, { once: true });
    if (options.signal.aborted) this.#abort();
  }

  /** @throws AppError UNAVAILABLE when the subgraph does not answer, and when it breaks off or ends without `complete` */
  next(): Promise<Next> {
    const event = this.#events.shift();
    if (event !== undefined) {
      if (this.#isHeldBack && this.#events.length === 0) this.#goOn();
      return Promise.resolve({ done: false, value: event });
    }
    if (this.#end?.failure !== undefined) return Promise.reject(this.#end.failure);
    if (this.#end !== undefined) return Promise.resolve(DONE);
    this.#taker ??= Promise.withResolvers();
    return this.#taker.promise;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#end !== undefined) controller.abort(new Error('The subscription is over'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#hasBegun = true;
    const isStream = headers['content-type']?.toString().startsWith('text/event-stream') === true;
    if (!isStream) this.#refusal = { statusCode, chunks: [] };
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.#refusal !== undefined) {
      this.#refusal.chunks.push(bytes);
      return;
    }
    if (this.#end !== undefined) return;
    try {
      for (const event of this.#reader.read(bytes)) this.#give(event);
    } catch (cause) {
      this.#endWith(interrupted(cause));
      controller.abort(new Error('The stream is not as wanted', { cause }));
      return;
    }
    if (this.#reader.isComplete) this.#endWith(undefined);
    if (this.#events.length < MANY || this.#isHeldBack) return;
    this.#isHeldBack = true;
    controller.pause();
  }

  onResponseEnd(): void {
    if (this.#refusal === undefined) {
      this.#endWith(interrupted());
      return;
    }
    const { statusCode, chunks } = this.#refusal;
    const text = Buffer.concat(chunks).toString('utf8').slice(0, MOST_REFUSAL_CHARS);
    this.#endWith(new Error(`The ${this.#options.name} subgraph answered ${statusCode} to a stream: ${text}`));
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    this.#endWith(this.#hasBegun && this.#refusal === undefined ? interrupted(cause) : this.#options.failureOf(cause));
  }

  #give(event: StreamEvent): void {
    const taker = this.#taker;
    this.#taker = undefined;
    if (taker === undefined) this.#events.push(event);
    else taker.resolve({ done: false, value: event });
  }

  #goOn(): void {
    this.#isHeldBack = false;
    this.#controller?.resume();
  }

  #endWith(failure: Error | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { failure };
    this.#options.signal.removeEventListener('abort', this.#abort);
    const taker = this.#taker;
    this.#taker = undefined;
    if (failure === undefined) taker?.resolve(DONE);
    else taker?.reject(failure);
  }

  readonly #abort = (): void => {
    this.#endWith(this.#options.failureOf(this.#options.signal.reason));
    this.#controller?.abort(new Error('The subscription is over'));
  };
}

function interrupted(cause?: unknown): AppError {
  return new AppError('UNAVAILABLE', 'The subscription was interrupted; subscribe again from the last sequence.', {
    cause,
  });
}
