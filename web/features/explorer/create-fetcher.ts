import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import { buildSchema, introspectionFromSchema } from 'graphql';
import type { Client as SocketClient } from 'graphql-ws';

/**
 * Sends what the explorer runs: subscriptions by the socket, everything else as a POST. The explorer's introspection is
 * answered from the published schema, because gateways in production answer none.
 */
export function createFetcher(options: {
  apiOrigin: string;
  send: typeof fetch;
  socket: SocketClient;
  loadSchema: () => Promise<string>;
}): Fetcher {
  const { apiOrigin, send, socket, loadSchema } = options;
  return createGraphiQLFetcher({
    url: `${apiOrigin}/graphql`,
    fetch: send,
    wsClient: socket,
    enableIncrementalDelivery: false,
    schemaFetcher: async () => {
      const schema = buildSchema(await loadSchema(), { assumeValid: true });
      return { data: { ...introspectionFromSchema(schema) } };
    },
  });
}

/** The published schema, as the dashboard was built with it. @throws Error when the dashboard's server does not give it. */
export async function loadPublishedSchema(): Promise<string> {
  const response = await fetch('/graphql/schema');
  if (!response.ok) throw new Error(`The schema could not be had: the dashboard's server answered ${response.status}`);
  return await response.text();
}
