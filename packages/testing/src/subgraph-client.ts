import type { Viewer } from '@kindred/domain/viewer';
import { INTERNAL_TOKEN_HEADER, signInternalToken } from '@kindred/service/internal-token';

/** What subgraphs under test verify internal tokens with. */
export const INTERNAL_TOKEN_SECRET = 'the internal token secret of the tests';

/** The environment of a subgraph under test: a free port of this machine. */
export const TEST_SERVER_ENV = { host: '127.0.0.1', port: 0, internalTokenSecret: INTERNAL_TOKEN_SECRET };

export interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

/** Asks a subgraph over HTTP as the gateway does: each request signed for the viewer it is asked by. */
export interface SubgraphClient {
  ask<Data>(viewer: Viewer, query: string, variables?: object): Promise<Answer<Data>>;
  /** The data of an answer. @throws Error with the errors of one that has some. */
  read<Data>(viewer: Viewer, query: string, variables?: object): Promise<Data>;
  /** The results of a subscription until it completes or `signal` is aborted. */
  follow<Data>(
    viewer: Viewer,
    query: string,
    options: { variables: object; signal?: AbortSignal },
  ): AsyncGenerator<Answer<Data>>;
}

/** A client of the subgraph of this name at this origin, which verifies with INTERNAL_TOKEN_SECRET. */
export function createSubgraphClient({ name, url }: { name: string; url: string }): SubgraphClient {
  const send = (path: string, viewer: Viewer, { payload, signal }: { payload: object; signal?: AbortSignal }) => {
    const body = JSON.stringify(payload);
    const token = signInternalToken(INTERNAL_TOKEN_SECRET, { audience: name, viewer, body });
    const headers = { 'content-type': 'application/json', accept: '*/*', [INTERNAL_TOKEN_HEADER]: token };
    return fetch(`${url}${path}`, { method: 'POST', headers, body, signal: signal ?? null });
  };
  const ask = async <Data>(viewer: Viewer, query: string, variables: object = {}): Promise<Answer<Data>> => {
    const response = await send('/graphql', viewer, { payload: { query, variables } });
    return (await response.json()) as Answer<Data>;
  };
  return {
    ask,
    read: async <Data>(viewer: Viewer, query: string, variables?: object): Promise<Data> => {
      const { data, errors } = await ask<Data>(viewer, query, variables);
      if (errors !== undefined || data === undefined || data === null) throw new Error(JSON.stringify(errors));
      return data;
    },
    async *follow<Data>(viewer: Viewer, query: string, options: { variables: object; signal?: AbortSignal }) {
      const { variables, ...rest } = options;
      yield* readEventStream<Answer<Data>>(
        await send('/graphql/stream', viewer, { payload: { query, variables }, ...rest }),
      );
    },
  };
}

/** The `next` events of a graphql-sse answer. */
async function* readEventStream<Result>(response: Response): AsyncGenerator<Result> {
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const messages = text.split('\n\n');
    text = messages.pop() ?? '';
    for (const message of messages) {
      const [, data] = /^event: next\ndata: (.*)$/s.exec(message) ?? [];
      if (data !== undefined) yield JSON.parse(data) as Result;
    }
  }
}
