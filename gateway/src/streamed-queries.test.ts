import { encodeGlobalId, newId, type TenantId } from '@kindred/domain/ids';
import { Client, createRequest, gql, subscriptionExchange } from '@urql/core';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { overEventStreams, overOneEventStream, overSockets, post, refusalOf, type Subscribe } from './test-clients.ts';
import { startTestGraph, type TestGraph } from './test-graph.ts';

const PATIENT = { timeout: 20_000 };
const RECOMMEND = `{
  recommend(input: {}) {
    recommendationId
    ... @defer(label: "titles") { edges { rank node { id ... @defer { title } } } }
    ... @defer { modelVersion { number model { name } } }
  }
}`;
const SLOW = '{ viewer { scopes } ... @defer { item(externalId: "slow") { title } } }';
const WHOLE = {
  recommend: {
    recommendationId: 'rec_1',
    edges: [
      { rank: 1, node: { id: 'itm_7', title: 'Film 7' } },
      { rank: 2, node: { id: 'itm_8', title: 'Film 8' } },
    ],
    modelVersion: { number: 3, model: { name: 'For you' } },
  },
};

interface Message {
  data?: unknown;
  errors?: { extensions: { code: string } }[];
  incremental?: { path: (string | number)[]; label?: string; data: unknown; errors?: unknown[] }[];
  hasNext?: boolean;
  extensions?: { cost?: { requested: number; actual: number } };
}

let graph: TestGraph;
beforeAll(async () => {
  graph = await startTestGraph({ usageFlushMs: 50 });
});
beforeEach(() => {
  graph.world.calls.length = 0;
});
afterAll(async () => {
  await graph[Symbol.asyncDispose]();
});

const bearer = async (claims: object = {}) => `Bearer ${await graph.signSession({ ...claims })}`;
const callsOf = (field: string) => graph.world.calls.filter((call) => call.field === field);
/** How many queries of the tenant are in the ledger, once everything that was settled before is: a batch is recorded whole. */
async function settledCount(): Promise<number> {
  const marker = newId('Tenant');
  const headers = { authorization: await bearer({ tenant: marker }) };
  await post(graph.gateway.url, '{ viewer { scopes } }', { headers });
  const entriesOf = (tenant: TenantId) =>
    [...graph.world.batches.values()].flat().filter(({ tenantId }) => tenantId === encodeGlobalId('Tenant', tenant));
  await expect.poll(() => entriesOf(marker).length, PATIENT).toBe(1);
  return entriesOf(graph.world.tenantId).reduce(
    (sum, { operation, requests }) => sum + (operation === 'QUERY' ? requests : 0),
    0,
  );
}

function describeTransport(name: string, subscribe: Subscribe) {
  describe(`queries over ${name}`, () => {
    const ask = async (query: string, claims: object = {}) =>
      subscribe(graph.gateway.url, { query, authorization: await bearer(claims) });
    const all = async (query: string, claims: object = {}): Promise<Message[]> => {
      const results = await ask(query, claims);
      const messages: Message[] = [];
      for (let next = await results.next(); next.done !== true; next = await results.next()) {
        messages.push(next.value as Message);
      }
      return messages;
    };

    test('what is deferred comes after what is not, and then the operation ends', async () => {
      const [first, ...rest] = await all(RECOMMEND);
      expect(first).toEqual({ data: { recommend: { recommendationId: 'rec_1' } }, hasNext: true });
      const parts = rest.flatMap(({ incremental = [] }) => incremental);
      expect(parts).toContainEqual({
        path: ['recommend'],
        data: { modelVersion: { number: 3, model: { name: 'For you' } } },
      });
      expect(parts.filter(({ path }) => path.length > 1)).toEqual([
        { path: ['recommend', 'edges', 0, 'node'], data: { title: 'Film 7' } },
        { path: ['recommend', 'edges', 1, 'node'], data: { title: 'Film 8' } },
      ]);
      expect(rest.map(({ hasNext }) => hasNext)).toEqual([...rest.slice(1).map(() => true), false]);
    });

    test('a query that defers nothing is answered at once, and costs what it costs over HTTP', async () => {
      const query = RECOMMEND.replaceAll(/@defer(\(.*?\))?/g, '');
      const [whole, ...others] = await all(query);
      expect(others).toEqual([]);
      expect(whole).toMatchObject({ data: WHOLE });
      expect(whole).not.toHaveProperty('hasNext');
      const { text } = await post(graph.gateway.url, query, { headers: { authorization: await bearer() } });
      const { cost } = (JSON.parse(text) as Message).extensions ?? {};
      expect(whole?.extensions?.cost).toMatchObject({ requested: cost?.requested, actual: cost?.actual });
      expect((await all(RECOMMEND)).at(-1)?.extensions?.cost).toMatchObject({
        requested: cost?.requested,
        actual: cost?.actual,
      });
    });

    test('the first part comes while a subgraph does not answer, and leaving ends its call and is charged once', async () => {
      await all('{ viewer { scopes } }');
      const before = await settledCount();
      const results = await ask(SLOW);
      expect((await results.next()).value).toMatchObject({ data: { viewer: {} }, hasNext: true });
      await expect.poll(() => callsOf('item').length, PATIENT).toBe(1);
      const [hanging] = callsOf('item');
      expect(hanging?.signal.aborted).toBe(false);
      await results.cancel();
      await expect.poll(() => hanging?.signal.aborted, PATIENT).toBe(true);
      await all('{ viewer { scopes } }');
      expect(await settledCount()).toBe(before + 2);
    });

    test('tenants that ask at the same time each get their own', async () => {
      const tenants = [graph.world.tenantId, newId('Tenant')];
      const query = '{ viewer { scopes ... @defer { tenant { id } } } }';
      const answers = await Promise.all(tenants.map((tenant) => all(query, { tenant })));
      expect(answers.map((messages) => messages.at(-1)?.incremental)).toEqual(
        tenants.map((tenant) => [{ path: ['viewer'], data: { tenant: { id: encodeGlobalId('Tenant', tenant) } } }]),
      );
    });

    test('a failure in a deferred part makes that part null', async () => {
      const query = '{ tenant { name ... @defer { apiKeys(first: 1) { edges { cursor } } } } }';
      const [first, last] = await all(query, { role: 'OWNER' });
      expect(first).toEqual({ data: { tenant: { name: 'Acme' } }, hasNext: true });
      expect(last).toMatchObject({
        incremental: [{ path: ['tenant'], data: null, errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] }],
        hasNext: false,
      });
      expect(JSON.stringify(last)).not.toContain('10.0.0.7');
    });

    test('a failure of the whole is a result with its code', async () => {
      const messages = await all('{ item(externalId: "missing") { title } }');
      expect(messages).toMatchObject([{ data: { item: null }, errors: [{ extensions: { code: 'NOT_FOUND' } }] }]);
    });

    test.for([
      ['a mutation', 'mutation { revokeApiKey(input: { apiKeyId: "key_1" }) { userErrors { code } } }'],
      [
        'more deferred fragments than there may be',
        `{ viewer { ${Array.from({ length: 21 }, () => '... @defer { scopes }').join(' ')} } }`,
      ],
    ])('%s is refused before anything is asked', async ([, query = '']) => {
      expect(await refusalOf(await ask(query))).toMatch(/"code":"(BAD_REQUEST|GRAPHQL_VALIDATION_FAILED)"/);
      expect(graph.world.calls).toEqual([]);
    });

    test('a publishable key runs nothing that is not published', async () => {
      graph.world.apiKeys.set('kp_00000000000000000001', 'PUBLISHABLE');
      const authorization = 'Bearer kp_00000000000000000001';
      expect(await refusalOf(subscribe(graph.gateway.url, { query: RECOMMEND, authorization }))).toContain(
        'published documents only',
      );
    });
  });
}

describeTransport('graphql-ws', overSockets);
describeTransport('SSE', overEventStreams);
describeTransport('one SSE stream for all', overOneEventStream);

test('draining ends a query under way with its connection', async () => {
  const own = await startTestGraph();
  const results = overSockets(own.gateway.url, { query: SLOW, authorization: `Bearer ${await own.signSession()}` });
  await results.next();
  await expect.poll(() => own.world.calls.filter(({ field }) => field === 'item').length, PATIENT).toBe(1);
  const lost = expect(results.next()).rejects.toBeDefined();
  await own.gateway.drain();
  await lost;
  await expect.poll(() => own.world.calls.find(({ field }) => field === 'item')?.signal.aborted, PATIENT).toBe(true);
  await own[Symbol.asyncDispose]();
});

test('who names another version of incremental delivery gets the answer whole', async () => {
  const authorization = await bearer();
  const socket = createSocketClient({
    url: `${graph.gateway.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization, deferSpec: '20990101' },
  });
  const sse = createSseClient({
    url: `${graph.gateway.url}/graphql/stream`,
    headers: { authorization },
    fetchFn: (url: string, init: RequestInit) => {
      const headers = new Headers(init.headers);
      headers.set('accept', 'text/event-stream; deferSpec=20990101');
      return fetch(url, { ...init, headers });
    },
  });
  for (const client of [socket, sse]) {
    const messages: unknown[] = [];
    for await (const message of client.iterate({ query: RECOMMEND })) messages.push(message);
    expect(messages).toMatchObject([{ data: WHOLE }]);
  }
  await socket.dispose();
});

test('the client of the web app puts the parts together over a socket', async () => {
  const authorization = await bearer();
  const socket = createSocketClient({
    url: `${graph.gateway.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization },
  });
  const client = new Client({
    url: `${graph.gateway.url}/graphql`,
    preferGetMethod: false,
    exchanges: [
      subscriptionExchange({
        enableAllOperations: true,
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe({ query, variables: variables as Record<string, unknown> }, sink as never),
          }),
        }),
      }),
    ],
  });
  const seen: { data: unknown; hasNext: boolean }[] = [];
  await new Promise<void>((resolve) => {
    client.executeQuery(createRequest(gql(RECOMMEND), {})).subscribe(({ data, hasNext }) => {
      seen.push({ data: JSON.parse(JSON.stringify(data)) as unknown, hasNext });
      if (!hasNext) resolve();
    });
  });
  expect(seen.length).toBeGreaterThan(2);
  expect(seen.at(-1)?.data).toEqual(WHOLE);
  await socket.dispose();
});

test('a query for an event stream that is never opened is not run, and costs nothing', async () => {
  const url = `${graph.gateway.url}/graphql/stream`;
  const headers = { authorization: await bearer(), 'content-type': 'application/json' };
  const token = await (await fetch(url, { method: 'PUT', headers })).text();
  const before = await settledCount();
  const send = (query: string) =>
    fetch(`${url}?token=${token}`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query, extensions: { operationId: 'one' } }),
    });
  expect((await send(SLOW)).status).toBe(202);
  expect((await send(SLOW)).status).toBe(409);
  expect((await fetch(`${url}?token=${token}&operationId=one`, { method: 'DELETE', headers })).status).toBe(200);
  expect((await post(graph.gateway.url, '{ viewer { scopes } }', { headers })).status).toBe(200);
  expect(await settledCount()).toBe(before + 1);
  expect(callsOf('item')).toEqual([]);
});
