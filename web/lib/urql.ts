import { Client, type CombinedError, fetchExchange, mapExchange, subscriptionExchange } from 'urql';
import { graphCache } from './graph-cache.ts';
import type { SessionStore } from './session-store.ts';
import { createSocketClient, type SocketClientOptions } from './socket-client.ts';

/** Whether the gateway no longer takes the session's token. */
function isRefusedToken(error: CombinedError): boolean {
  const response = error.response as { status?: number } | undefined;
  return (
    response?.status === 401 || error.graphQLErrors.some(({ extensions }) => extensions.code === 'UNAUTHENTICATED')
  );
}

/** A new client with an empty cache: one per session, so that nothing of one tenant is seen by the next. */
export function createApiClient(options: SocketClientOptions): Client {
  const socket = createSocketClient(options);
  return new Client({
    url: `${options.apiOrigin}/graphql`,
    preferGetMethod: false,
    fetchOptions: () => ({ headers: authorization(options.session) }),
    exchanges: [
      mapExchange({
        onError: (error) => {
          if (isRefusedToken(error)) options.session.end('expired');
        },
      }),
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

function authorization(session: SessionStore): Record<string, string> {
  const token = session.current()?.accessToken;
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
