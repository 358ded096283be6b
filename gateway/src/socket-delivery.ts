import type { WebSocket } from 'ws';
import type { OperationResults } from './operation-results.ts';

const DONE: IteratorResult<never, undefined> = { done: true, value: undefined };

/**
 * Sends the results of one operation to its socket, each when the connection has taken the last. To graphql-ws it is a
 * subscription that has no results and ends: they are JSON already, and what it would add is written around them.
 */
export class SocketDelivery implements AsyncIterableIterator<never, undefined> {
  readonly #socket: WebSocket;
  readonly #head: string;
  readonly #results: OperationResults;
  #over: PromiseWithResolvers<IteratorResult<never, undefined>> | undefined;

  constructor(socket: WebSocket, id: string, results: OperationResults) {
    this.#socket = socket;
    this.#head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    this.#results = results;
  }

  /** Until all is sent. */
  next(): Promise<IteratorResult<never, undefined>> {
    if (this.#over === undefined) {
      this.#over = Promise.withResolvers();
      this.#results.ask(this.#send);
    }
    return this.#over.promise;
  }

  return(): Promise<IteratorResult<never, undefined>> {
    this.#results.end();
    return Promise.resolve(DONE);
  }

  throw(): Promise<IteratorResult<never, undefined>> {
    return this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #send = (result: string | undefined): void => {
    if (result !== undefined && this.#socket.readyState === this.#socket.OPEN) {
      this.#socket.send(`${this.#head}${result}}`, this.#goOn);
      return;
    }
    this.#results.end();
    this.#over?.resolve(DONE);
  };

  readonly #goOn = (error?: Error | null): void => {
    if (error) this.#over?.reject(error);
    else this.#results.ask(this.#send);
  };
}
