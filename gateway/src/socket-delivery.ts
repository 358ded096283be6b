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

  constructor(socket: WebSocket, id: string, results: OperationResults) {
    this.#socket = socket;
    this.#head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    this.#results = results;
  }

  async next(): Promise<IteratorResult<never, undefined>> {
    for (;;) {
      const result = await this.#results.next();
      if (result.done === true) return DONE;
      await this.#send(`${this.#head}${result.value}}`);
    }
  }

  async return(): Promise<IteratorResult<never, undefined>> {
    await this.#results.return();
    return DONE;
  }

  async throw(): Promise<IteratorResult<never, undefined>> {
    return await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #send(text: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#socket.readyState !== this.#socket.OPEN) resolve();
    else this.#socket.send(text, (error) => (error ? reject(error) : resolve()));
    return promise;
  }
}
