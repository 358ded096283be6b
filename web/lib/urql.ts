import { Client, fetchExchange, subscriptionExchange } from 'urql';
import { graphCache } from './graph-cache.ts';
import type { SessionStore } from './session-store.ts';
import { createSocketClient, type SocketClientOptions } from './socket-client.ts';

/** A new client with an empty cache: one per session, so that nothing of one tenant is seen by the next. */
export function createApiClient(options: SocketClientOptions): Client {
  const socket = createSocketClient(options);
  return new Client({
    url: `${options.apiOrigin}/graphql`,
    preferGetMethod: false,
    fetch: authorizedFetch(options.session),
    exchanges: [
      graphCache(),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ query: query ?? '', variables: variables ?? null }, sink as never),
          }),
        }),
      }),
    ],
  });
}

/** `fetch` with the session's access token: refreshed before it ends, and once more when the gateway refuses it. */
export function authorizedFetch(session: SessionStore): typeof fetch {
  return async (input, init) => {
    const token = await session.liveToken();
    const response = await send(input, init, token);
    if (token === undefined || response.status !== 401) return response;
    await session.replace(token);
    const next = await session.liveToken();
    return next === undefined || next === token ? response : await send(input, init, next);
  };
}

function send(input: Parameters<typeof fetch>[0], init: RequestInit | undefined, token: string | undefined) {
  const headers = new Headers(init?.headers);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  return fetch(input, { ...init, headers });
}
