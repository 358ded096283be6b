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

/** The checks of the scanner graphql-cop, each under the scanner's name for it. */
test.for<[string, string]>([
  ['alias overloading: a hundred aliases', `{ ${times(101, (index) => `alias${index}: __typename`)} }`],
  ['field duplication: five hundred times one field', `{ ${times(500, () => '__typename')} }`],
  ['directive overloading: ten directives that nobody knows, on one field', `{ __typename ${times(10, () => '@aa')} }`],
  [
    'directive overloading: more directives than anybody needs',
    `{ __typename ${times(100, () => '@include(if: true)')} }`,
  ],
  [
    'circular introspection: types of fields of types',
    `{ __schema { types { fields { type { fields { type { fields { type { fields { type { name } } } } } } } } } } }`,
  ],
  ['introspection: every type', '{ __schema { types { name fields { name } } } }'],
])('%s are refused, with few errors', async ([, query]) => {
  const { status, text } = await post({ query });
  expect(status).toBe(400);
  const { data, errors } = JSON.parse(text) as { data?: unknown; errors: unknown[] };
  expect(data).toBeUndefined();
  expect(errors.length).toBeLessThanOrEqual(5);
});

test('batching: a list of operations in one request is refused', async () => {
  const { status, text } = await post(Array.from({ length: 10 }, () => ({ query: '{ __typename }' })));
  expect(status).toBe(400);
  expect(text).not.toContain('"data"');
});

test('field suggestions: a field that does not exist brings no suggestion of one that does', async () => {
  const { text } = await post({ query: '{ viewe itm recomend }' });
  expect(text).not.toMatch(/did you mean|viewer|recommend"/i);
});

test.for([
  ['GET query CSRF', 'query={__typename}'],
  ['GET mutation', 'query=mutation{__typename}'],
])('%s: GET /graphql?%s runs nothing', async ([, search = '']) => {
  const { status, text } = await send(`/graphql?${encodeURI(search)}`, { headers: { accept: 'application/json' } });
  expect(status).toBe(405);
  expect(text).not.toContain('"data"');
});

test.for(['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x'])(
  'POST form CSRF: a form of another site, sent as %s, runs nothing',
  async (contentType) => {
    for (const body of ['query=%7B__typename%7D', '{"query":"{__typename}"}']) {
      const { status, text } = await post(body, { 'content-type': contentType });
      expect(status).toBe(415);
      expect(text).not.toContain('"data"');
    }
  },
);

test.for(['/', '/graphql', '/graphiql', '/playground', '/console', '/altair', '/voyager'])(
  'GraphiQL detection: there is no page to explore the API at %s in production',
  async (path) => {
    const { status, text } = await send(path, { headers: { accept: 'text/html' } });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text).not.toMatch(/graphiql|playground|altair|voyager|<html/i);
  },
);

test('trace mode: no answer carries a trace of resolvers', async () => {
  const headers = { ...JSON_TYPE, 'apollo-federation-include-trace': 'ftv1' };
  const { text } = await post({ query: '{ viewer { scopes } }' }, headers);
  expect(text).not.toMatch(/tracing|ftv1/);
});

test('unhandled errors: no refusal carries a stack or an address of ours', async () => {
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
