import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';

const TIMEOUT_MS = 30_000;

export interface Answer<T> {
  data?: T | null;
  errors?: { message: string; path?: (string | number)[]; extensions?: { code?: string } }[];
}

interface Operation {
  query: string;
  variables?: Record<string, unknown>;
}

/** A client of the public API with one credential, as a front-end team would write it. */
export interface ApiClient {
  ask<T>(operation: Operation): Promise<Answer<T>>;
  /** A subscription over graphql-ws. */
  overSocket<T>(operation: Operation): AsyncIterableIterator<Answer<T>>;
  /** The same over Server-Sent Events (graphql-sse, distinct connections). */
  overSse<T>(operation: Operation): AsyncIterableIterator<Answer<T>>;
}

/** A client of the gateway at `apiUrl`; without a credential it asks as nobody. */
export function connectApi(apiUrl: string, credential?: string): ApiClient {
  const headers: Record<string, string> = credential === undefined ? {} : { authorization: `Bearer ${credential}` };
  return {
    ask: async <T>(operation: Operation) => {
      const response = await fetch(apiUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(operation),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return (await response.json()) as Answer<T>;
    },
    overSocket: <T>(operation: Operation) => {
      const client = createSocketClient({
        url: apiUrl.replace(/^http/, 'ws'),
        webSocketImpl: WebSocket,
        connectionParams: headers,
        retryAttempts: 0,
      });
      return client.iterate(operation) as AsyncIterableIterator<Answer<T>>;
    },
    overSse: <T>(operation: Operation) => {
      const client = createSseClient({ url: `${apiUrl}/stream`, headers, retryAttempts: 0 });
      return client.iterate(operation) as AsyncIterableIterator<Answer<T>>;
    },
  };
}

/**
 * The data of an answer.
 * @throws Error with the first error when there is one.
 */
export function dataOf<T>(answer: Answer<T>): T {
  const [error] = answer.errors ?? [];
  if (error) throw new Error(`${error.message} (${error.extensions?.code}) at ${error.path?.join('.')}`);
  if (!answer.data) throw new Error('The answer has neither data nor errors.');
  return answer.data;
}
