import { AppError } from '@kindred/domain/app-error';
import type { Dispatcher } from 'undici';
import { EventStreamReader, type StreamEvent } from './event-stream-reader.ts';

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
  listener: UpstreamListener;
}

/** Who asks for the events of a subscription; one of the two is called for each time, maybe at once. */
export interface UpstreamListener {
  onEvent(event: StreamEvent): void;
  /**
   * There are no more. The failure is AppError UNAVAILABLE when the subgraph does not answer, and when it breaks off or
   * ends without `complete`.
   */
  onEnd(failure: Error | undefined): void;
}

/**
 * The results of one subscription at a subgraph, given as they are asked for, one at a time: bytes of its answer become
 * results with no stream in between. Those that nobody asks for hold the connection back. The signal ends it.
 */
export class UpstreamEvents implements Dispatcher.DispatchHandler {
  readonly #options: UpstreamEventsOptions;
  readonly #reader = new EventStreamReader();
  readonly #events: StreamEvent[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #isAsked = false;
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

  /** Asks for the next one; not before the last was given. */
  ask(): void {
    const { listener } = this.#options;
    const event = this.#events.shift();
    if (event === undefined) {
      if (this.#end === undefined) this.#isAsked = true;
      else listener.onEnd(this.#end.failure);
      return;
    }
    if (this.#isHeldBack && this.#events.length === 0) this.#goOn();
    listener.onEvent(event);
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
    if (!this.#isAsked) {
      this.#events.push(event);
      return;
    }
    this.#isAsked = false;
    this.#options.listener.onEvent(event);
  }

  #goOn(): void {
    this.#isHeldBack = false;
    this.#controller?.resume();
  }

  #endWith(failure: Error | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { failure };
    this.#options.signal.removeEventListener('abort', this.#abort);
    if (!this.#isAsked) return;
    this.#isAsked = false;
    this.#options.listener.onEnd(failure);
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
