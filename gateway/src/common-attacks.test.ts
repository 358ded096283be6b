import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGraph, type TestGraph } from './test-graph.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startTestGraph({ production: true });
});
afterAll(async () => {
  await graph[Symbol.asyncDispose]();
});

const JSON_TYPE = { 'content-type': 'application/json' };

async function send(path: string, init: RequestInit) {
  const response = await fetch(`${graph.gateway.url}${path}`, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

const post = (body: unknown, headers: Record<string, string> = JSON_TYPE) =>
  send('/graphql', { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

const times = (count: number, write: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => write(index)).join(' ');

/** The checks that scanners of GraphQL APIs such as graphql-cop make; each says what an API must not do. */
test.for<[string, string]>([
  ['a hundred aliases', `{ ${times(101, (index) => `alias${index}: __typename`)} }`],
  ['five hundred times one field', `{ ${times(500, () => '__typename')} }`],
  ['ten directives that nobody knows, on one field', `{ __typename ${times(10, () => '@aa')} }`],
  ['more directives than anybody needs', `{ __typename ${times(100, () => '@include(if: true)')} }`],
  [
    'introspection in circles',
    `{ __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }`,
  ],
  ['introspection', '{ __schema { types { name fields { name } } } }'],
])('%s are refused, with few errors', async ([, query]) => {
  const { status, text } = await post({ query });
  expect(status).toBe(400);
  const { data, errors } = JSON.parse(text) as { data?: unknown; errors: unknown[] };
  expect(data).toBeUndefined();
  expect(errors.length).toBeLessThanOrEqual(5);
});

test('a batch of operations in one request is refused', async () => {
  const { status, text } = await post(Array.from({ length: 10 }, () => ({ query: '{ __typename }' })));
  expect(status).toBe(400);
  expect(text).not.toContain('"data"');
});

test('a field that does not exist brings no suggestion of one that does', async () => {
  const { text } = await post({ query: '{ viewe itm recomend }' });
  expect(text).not.toMatch(/did you mean|viewer|recommend"/i);
});

test.for(['query={__typename}', 'query=mutation{__typename}'])('GET /graphql?%s runs nothing', async (search) => {
  const { status, text } = await send(`/graphql?${encodeURI(search)}`, { headers: { accept: 'application/json' } });
  expect(status).toBe(405);
  expect(text).not.toContain('"data"');
});

test.for(['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x'])(
  'a form of another site, sent as %s, runs nothing',
  async (contentType) => {
    for (const body of ['query=%7B__typename%7D', '{"query":"{__typename}"}']) {
      const { status, text } = await post(body, { 'content-type': contentType });
      expect(status).toBe(415);
      expect(text).not.toContain('"data"');
    }
  },
);

test.for(['/', '/graphql', '/graphiql', '/playground', '/console', '/altair', '/voyager'])(
  'there is no page to explore the API at %s in production',
  async (path) => {
    const { status, text } = await send(path, { headers: { accept: 'text/html' } });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text).not.toMatch(/graphiql|playground|altair|voyager|<html/i);
  },
);

test('no answer carries a trace of resolvers, nor a stack or an address of ours', async () => {
  const traced = await post(
    { query: '{ viewer { scopes } }' },
    { ...JSON_TYPE, 'apollo-federation-include-trace': 'ftv1' },
  );
  expect(traced.text).not.toMatch(/tracing|ftv1/);
  for (const body of ['{', '{"query":1}', '{"query":"{"}', '[]', '{"query":"{__typename}","variables":1}']) {
    const { status, text } = await post(body);
    expect(status).toBe(400);
    expect(text).not.toMatch(/stack|\.ts|node_modules|127\.0\.0\.1/);
  }
});

test('answers say neither what serves them nor may be kept', async () => {
  const { headers } = await post({ query: '{ __typename }' });
  expect(headers.get('x-powered-by')).toBeNull();
  expect(headers.get('server')).toBeNull();
  expect(headers.get('cache-control')).toBe('no-store');
});
