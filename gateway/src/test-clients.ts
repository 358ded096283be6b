import { createClient as createSseClient, NetworkError } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';

export interface Answer {
  status: number;
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: unknown[]; extensions: { code: string; traceId?: string } }[];
  text: string;
}

/** Sends one operation as a browser or a server would. */
export async function post(
  gatewayUrl: string,
  query: string,
  {
    headers = {},
    variables,
    path = '/graphql',
  }: { headers?: Record<string, string>; variables?: object; path?: string } = {},
): Promise<Answer> {
  const response = await fetch(`${gatewayUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  return { ...(JSON.parse(text) as object), status: response.status, text };
}

export interface SubscribeOptions {
  query: string;
  variables?: Record<string, unknown>;
  authorization?: string | undefined;
}

export interface Subscribed {
  next(): Promise<IteratorResult<unknown>>;
  cancel(): Promise<void>;
}

/** A subscription over one transport, through a public client library. */
export type Subscribe = (gatewayUrl: string, options: SubscribeOptions) => Subscribed;

export const overSockets: Subscribe = (gatewayUrl, { query, variables, authorization }) => {
  const client = createSocketClient({
    url: `${gatewayUrl.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    ...(authorization !== undefined && { connectionParams: { authorization } }),
  });
  const results = client.iterate({ query, ...(variables && { variables }) });
  return { next: () => results.next(), cancel: async () => void (await results.return?.()) };
};

const overSse =
  (singleConnection: boolean): Subscribe =>
  (gatewayUrl, { query, variables, authorization }) => {
    const client = createSseClient({
      url: `${gatewayUrl}/graphql/stream`,
      retryAttempts: 0,
      fetchFn: fetchWholeRefusals,
      ...(authorization !== undefined && { headers: { authorization } }),
      ...(singleConnection && { singleConnection }),
    });
    const results = client.iterate({ query, ...(variables && { variables }) });
    return { next: () => results.next(), cancel: async () => void (await results.return?.()) };
  };

/** The client gives a refused request up before anybody could read why. */
const fetchWholeRefusals: typeof fetch = async (...request) => {
  const response = await fetch(...request);
  return response.ok ? response : new Response(await response.text(), response);
};

export const overEventStreams = overSse(false);
/** The other mode of graphql-sse: one stream for all subscriptions of a client. */
export const overOneEventStream = overSse(true);

/** What a refused subscription is told, as JSON: over sockets and a shared stream clients throw it, over a stream of its own it is the first result. */
export async function refusalOf(subscribed: Subscribed): Promise<string> {
  const outcome: unknown = await subscribed.next().then(
    ({ value }) => value,
    (error: unknown) => error,
  );
  if (outcome instanceof NetworkError && outcome.response instanceof Response) return await outcome.response.text();
  return JSON.stringify(outcome);
}
