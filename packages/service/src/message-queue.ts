import { AppError } from '@kindred/domain/app-error';

/**
 * A bounded queue from a producer that cannot wait to one consumer that reads it as an async iterator. Unlike a
 * generator it can be returned while its consumer waits. A producer more than `capacity` ahead ends it with an AppError UNAVAILABLE.
 */
export class MessageQueue<T> implements AsyncIterableIterator<T, undefined> {
  readonly #capacity: number;
  readonly #onEnd: () => void;
  #queued: T[] = [];
  #waiting: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];
  #ended = false;
  #error: unknown;

  /** `onEnd` is called once, when the queue takes no more: by its producer, its consumer or an overflow. */
  constructor({ capacity, onEnd }: { capacity: number; onEnd: () => void }) {
    this.#capacity = capacity;
    this.#onEnd = onEnd;
  }

  push(message: T): void {
    if (this.#ended) return;
    const consumer = this.#waiting.shift();
    if (consumer !== undefined) {
      consumer.resolve({ done: false, value: message });
    } else if (this.#queued.length < this.#capacity) {
      this.#queued.push(message);
    } else {
      this.#queued = [];
      this.fail(new AppError('UNAVAILABLE', `The reader fell more than ${this.#capacity} messages behind.`));
    }
  }

  /** No more messages: the consumer gets what is queued, then the end. */
  end(): void {
    this.#finish();
    for (const consumer of this.#waiting.splice(0)) consumer.resolve({ done: true, value: undefined });
  }

  /** No more messages: the consumer gets what is queued, then the error, once. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#finish();
    const [consumer, ...others] = this.#waiting.splice(0);
    if (consumer === undefined) this.#error = error;
    else consumer.reject(error);
    for (const other of others) other.resolve({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const message = this.#queued.shift();
    if (message !== undefined) return Promise.resolve({ done: false, value: message });
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    const consumer = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#waiting.push(consumer);
    return consumer.promise;
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#queued = [];
    this.#error = undefined;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd();
  }
}
