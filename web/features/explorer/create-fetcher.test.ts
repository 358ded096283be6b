import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSchema, type IntrospectionSchema, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { expect, it } from 'vitest';
import { createFetcher } from './create-fetcher.ts';

const SDL = readFileSync(fileURLToPath(new URL('../../../gateway/api.graphql', import.meta.url)), 'utf8');

function explorer() {
  const sent: { url: string; body: unknown }[] = [];
  const opened: string[] = [];
  class Socket {
    static readonly CONNECTING = 0;
    static readonly OPEN = 1;
    static readonly CLOSING = 2;
    static readonly CLOSED = 3;
    constructor(url: string) {
      opened.push(url);
    }
    close() {}
  }
  const fetcher = createFetcher({
    apiOrigin: 'https://api.example.com',
    send: async (input, init) => {
      const request = new Request(input, init);
      sent.push({ url: request.url, body: await request.json() });
      return Response.json({ data: { tenant: { name: 'Acme' } } });
    },
    socket: createClient({ url: 'wss://api.example.com/graphql', webSocketImpl: Socket, lazy: true }),
    loadSchema: async () => SDL,
  });
  return { fetcher, sent, opened };
}

it('posts a query to the gateway, with its variables', async () => {
  const { fetcher, sent, opened } = explorer();
  const query = 'query Name($a: Int) { tenant { name } }';
  const answer = await fetcher({ query, variables: { a: 1 } }, { documentAST: parse(query) });
  expect(answer).toEqual({ data: { tenant: { name: 'Acme' } } });
  expect(sent).toEqual([{ url: 'https://api.example.com/graphql', body: { query, variables: { a: 1 } } }]);
  expect(opened).toEqual([]);
});

it('opens the socket for a subscription, and posts nothing', async () => {
  const { fetcher, sent, opened } = explorer();
  const query = 'subscription Live { trainingProgress(runId: "a") { sequence } }';
  const stream = await fetcher({ query, operationName: 'Live' }, { documentAST: parse(query) });
  if (!(Symbol.asyncIterator in stream)) throw new Error(`Wanted a stream, got ${JSON.stringify(stream)}`);
  void stream[Symbol.asyncIterator]().next();
  await expect.poll(() => opened).toEqual(['wss://api.example.com/graphql']);
  expect(sent).toEqual([]);
});

it('answers its own introspection from the published schema: a gateway in production refuses it', async () => {
  const { fetcher, sent } = explorer();
  const answer = await fetcher({ query: '{ __schema { queryType { name } } }', operationName: 'IntrospectionQuery' });
  if (!('data' in answer)) throw new Error(`Wanted a schema, got ${JSON.stringify(answer)}`);
  const published = answer.data?.['__schema'] as IntrospectionSchema;
  const names = published.types.map(({ name }) => name);
  expect(names.toSorted()).toEqual(Object.keys(buildSchema(SDL).getTypeMap()).toSorted());
  expect(sent).toEqual([]);
});
