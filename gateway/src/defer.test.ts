import { Client, createRequest, fetchExchange, gql } from '@urql/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Answer, post } from './test-clients.ts';
import { startTestGraph, type TestGraph } from './test-graph.ts';

const PARTS = 'multipart/mixed;deferSpec=20220824, application/json';
const RECOMMEND = `{
  recommend(input: {}) {
    recommendationId
    ... @defer(label: "titles") { edges { rank node { id ... @defer { title } } } }
    ... @defer { modelVersion { number model { name } } }
  }
}`;

let graph: TestGraph;
beforeAll(async () => {
  graph = await startTestGraph();
});
beforeEach(() => {
  graph.world.calls.length = 0;
});
afterAll(async () => {
  await graph[Symbol.asyncDispose]();
});

interface Chunk {
  data?: unknown;
  incremental?: { path: (string | number)[]; label?: string; data: unknown; errors?: Answer['errors'] }[];
  hasNext: boolean;
  extensions?: { cost?: { requested: number; actual: number } };
}

/** The messages of an answer in parts, each when it has come. */
async function* ask(
  url: string,
  query: string,
  { headers = {}, variables = {}, signal = AbortSignal.timeout(30_000) } = {},
) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: PARTS, ...headers },
    body: JSON.stringify({ query, variables }),
    signal,
  });
  expect(response.headers.get('content-type')).toBe('multipart/mixed; boundary="-"; deferSpec=20220824');
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += new TextDecoder().decode(bytes);
    const messages = text.split(/\r\n---(?:--)?\r\n/);
    text = messages.pop() ?? '';
    for (const message of messages) {
      if (message !== '') yield JSON.parse(message.slice(message.indexOf('\r\n\r\n'))) as Chunk;
    }
  }
}

async function all(chunks: AsyncIterable<Chunk>): Promise<Chunk[]> {
  const found: Chunk[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return found;
}

test('what is deferred comes after what is not, a part never before the one around it', async () => {
  const headers = { authorization: `Bearer ${await graph.signSession()}` };
  const [first, ...rest] = await all(ask(graph.gateway.url, RECOMMEND, { headers }));
  expect(first).toEqual({ data: { recommend: { recommendationId: 'rec_1' } }, hasNext: true });
  const parts = rest.flatMap(({ incremental = [] }) => incremental);
  const edges = parts.findIndex(({ label }) => label === 'titles');
  expect(parts[edges]).toMatchObject({ path: ['recommend'], data: { edges: [{ rank: 1 }, { rank: 2 }] } });
  const titles = parts.slice(edges + 1).filter(({ path }) => path.length > 1);
  expect(titles).toEqual([
    { path: ['recommend', 'edges', 0, 'node'], data: { title: 'Film 7' } },
    { path: ['recommend', 'edges', 1, 'node'], data: { title: 'Film 8' } },
  ]);
  expect(parts).toContainEqual({
    path: ['recommend'],
    data: { modelVersion: { number: 3, model: { name: 'For you' } } },
  });
  expect(rest.map(({ hasNext }) => hasNext)).toEqual([...rest.slice(1).map(() => true), false]);
  expect(rest.at(-1)?.extensions?.cost?.actual).toBeGreaterThan(1);
});

test.for(['*/*', 'application/json', 'multipart/mixed; deferSpec=20990101, application/json'])(
  'whoever accepts %s gets the answer whole',
  async (accept) => {
    const headers = { authorization: `Bearer ${await graph.signSession()}`, accept };
    const answer = await post(graph.gateway.url, RECOMMEND, { headers });
    expect(answer).toMatchObject({
      status: 200,
      data: {
        recommend: {
          recommendationId: 'rec_1',
          edges: [{ rank: 1, node: { id: 'itm_7', title: 'Film 7' } }, { rank: 2 }],
          modelVersion: { number: 3, model: { name: 'For you' } },
        },
      },
    });
  },
);

test('the first part comes while a subgraph does not answer, and its call ends with the client', async () => {
  const headers = { authorization: `Bearer ${await graph.signSession()}` };
  const query = '{ viewer { scopes } ... @defer { item(externalId: "slow") { title } } }';
  const leave = new AbortController();
  const chunks = ask(graph.gateway.url, query, { headers, signal: leave.signal });
  expect((await chunks.next()).value).toMatchObject({ data: { viewer: { scopes: expect.any(Array) } }, hasNext: true });
  await expect.poll(() => graph.world.calls.filter(({ field }) => field === 'item').length).toBe(1);
  const hanging = graph.world.calls.find(({ field }) => field === 'item');
  expect(hanging?.signal.aborted).toBe(false);
  leave.abort();
  await expect(chunks.next()).rejects.toThrow();
  await expect.poll(() => hanging?.signal.aborted).toBe(true);
});

test('a failure in a deferred part makes that part null, and says nothing of what is inside', async () => {
  const headers = { authorization: `Bearer ${await graph.signSession({ role: 'OWNER' })}` };
  const query = '{ tenant { name ... @defer { apiKeys(first: 1) { edges { cursor } } } } }';
  const [first, last, ...others] = await all(ask(graph.gateway.url, query, { headers }));
  expect(others).toEqual([]);
  expect(first).toEqual({ data: { tenant: { name: 'Acme' } }, hasNext: true });
  expect(last).toMatchObject({
    incremental: [{ path: ['tenant'], data: null, errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] }],
    hasNext: false,
  });
  expect(JSON.stringify(last)).not.toContain('10.0.0.7');
});

test('a variable decides whether a fragment is deferred', async () => {
  const headers = { authorization: `Bearer ${await graph.signSession()}` };
  const query = 'query Q($later: Boolean!) { viewer { scopes ... @defer(if: $later) { tenant { name } } } }';
  const ways = [true, false].map((later) => all(ask(graph.gateway.url, query, { headers, variables: { later } })));
  const [deferred, whole] = await Promise.all(ways);
  expect(deferred).toHaveLength(2);
  expect(whole).toMatchObject([{ data: { viewer: { tenant: { name: 'Acme' } } }, hasNext: false }]);
});

const many = (count: number) => Array.from({ length: count }, () => '... @defer { scopes }').join(' ');

test.for([
  ['more deferred fragments than there may be', `{ viewer { ${many(21)} } }`],
  ['more of them, spread', `{ a: viewer { ...A } b: viewer { ...A } } fragment A on Viewer { ${many(11)} }`],
  ['a deferred field of Mutation', 'mutation { ... @defer { __typename } }'],
  ['one label twice', '{ viewer { ... @defer(label: "a") { scopes } ... @defer(label: "a") { role } } }'],
  ['a label that is a variable', 'query Q($a: String) { viewer { ... @defer(label: $a) { scopes } } }'],
  [
    'more conditions than there may be',
    `query Q($a: Boolean!, $b: Boolean!, $c: Boolean!, $d: Boolean!) { viewer {
      ${['a', 'b', 'c', 'd'].map((name) => `... @defer(if: $${name}) { scopes }`).join(' ')} } }`,
  ],
  ['what nobody may ask for', '{ viewer { ... @defer { passwordHash } } }'],
])('%s is refused before anything is asked', async ([, query = '']) => {
  const headers = {
    authorization: `Bearer ${await graph.signSession()}`,
    accept: `${PARTS}, application/graphql-response+json`,
  };
  const answer = await post(graph.gateway.url, query, { headers, variables: { a: true, b: true, c: true, d: true } });
  expect(answer).toMatchObject({ status: 400, errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] });
  expect(graph.world.calls).toEqual([]);
});

test('what is deferred costs what it costs elsewhere', async () => {
  const headers = { authorization: `Bearer ${await graph.signSession()}` };
  const whole = await post(graph.gateway.url, RECOMMEND, { headers });
  const last = (await all(ask(graph.gateway.url, RECOMMEND, { headers }))).at(-1);
  const { cost } = (JSON.parse(whole.text) as Chunk).extensions ?? {};
  expect(last?.extensions?.cost).toMatchObject({ requested: cost?.requested, actual: cost?.actual });
});

test('a publishable key defers nothing that is not published', async () => {
  graph.world.apiKeys.set('kp_00000000000000000001', 'PUBLISHABLE');
  const answer = await post(graph.gateway.url, RECOMMEND, {
    headers: { 'x-api-key': 'kp_00000000000000000001', accept: PARTS },
  });
  expect(answer).toMatchObject({ status: 403, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  expect(answer.data).toBeUndefined();
});

test('the client of the web app reads both', async () => {
  const headers = { authorization: `Bearer ${await graph.signSession()}` };
  const client = new Client({
    url: `${graph.gateway.url}/graphql`,
    preferGetMethod: false,
    exchanges: [fetchExchange],
    fetchOptions: { headers },
  });
  const seen: { data: unknown; hasNext: boolean }[] = [];
  await new Promise<void>((resolve) => {
    client.executeQuery(createRequest(gql(RECOMMEND), {})).subscribe(({ data, hasNext }) => {
      seen.push({ data: JSON.parse(JSON.stringify(data)) as unknown, hasNext });
      if (!hasNext) resolve();
    });
  });
  expect(seen.length).toBeGreaterThan(2);
  const whole = await post(graph.gateway.url, RECOMMEND, { headers });
  expect(seen.at(-1)?.data).toEqual(whole.data);
});
