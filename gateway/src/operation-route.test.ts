import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { addressOf } from './caller.ts';
import { post } from './test-clients.ts';
import { startTestGraph, type TestGraph } from './test-graph.ts';

let graph: TestGraph;
let authorization: string;

beforeAll(async () => {
  graph = await startTestGraph();
  authorization = `Bearer ${await graph.signSession()}`;
});
afterAll(async () => {
  await graph[Symbol.asyncDispose]();
});
beforeEach(() => {
  graph.world.calls.length = 0;
});

const RECOMMEND = `query ($user: String!) {
  recommend(input: { user: { externalId: $user } }, first: 2) { modelVersion { number } edges { node { title } } }
}`;

async function send(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json', authorization, ...headers } };
  const response = await fetch(`${graph.gateway.url}/graphql`, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

test('whoever asks is told how long each fetch took, and nobody else', async () => {
  const body = { query: RECOMMEND, variables: { user: 'u1' } };
  const asked = JSON.parse((await send(JSON.stringify({ ...body, extensions: { timing: true } }))).text) as {
    extensions: { timing: { totalMs: number; fetches: Record<string, unknown>[] } };
  };
  const { totalMs, fetches } = asked.extensions.timing;
  expect(Object.fromEntries(fetches.map(({ subgraph, entityCount }) => [subgraph, entityCount]))).toEqual({
    catalog: 2,
    model: 1,
    recommendation: null,
  });
  for (const { durationMs } of fetches) expect(durationMs).toBeLessThanOrEqual(totalMs);
  expect((await send(JSON.stringify(body))).text).not.toContain('timing');
});

test('entities that requests of one credential need at once are fetched together, those of another are not', async () => {
  const other = `Bearer ${await graph.signSession()}`;
  const ask = (credential: string, user: string) =>
    post(graph.gateway.url, RECOMMEND, { variables: { user }, headers: { authorization: credential } });
  await ask(authorization, 'warm');
  graph.world.calls.length = 0;
  const saved = async () => {
    const metrics = await (await fetch(`${graph.gateway.url}/metrics`)).text();
    return Number(/kindred_gateway_fetches_batched\{[^}]*\} (\d+)/.exec(metrics)?.[1]);
  };
  const recommending = Promise.withResolvers<void>();
  graph.world.recommending = recommending.promise;
  const users = Array.from({ length: 20 }, (_, index) => `u${index}`);
  const asked = [...users.map((user) => ask(authorization, user)), ask(other, 'u1')];
  // However late they come on a busy machine, what they recommend is there at once.
  await expect.poll(() => graph.world.calls.length).toBe(asked.length);
  const before = await saved();
  recommending.resolve();
  const answers = await Promise.all(asked);
  for (const { data } of answers) {
    expect(data).toMatchObject({
      recommend: { edges: [{ node: { title: 'Film 7' } }, { node: { title: 'Film 8' } }] },
    });
  }
  // Of 40 fetches of the first credential and 2 of the other; what one shares with itself is not the other's to share.
  const savedFetches = (await saved()) - before;
  expect(savedFetches).toBeGreaterThan(20);
  expect(savedFetches).toBeLessThanOrEqual(38);
});

test.for([
  ['no JSON', '{', 400],
  ['a list of operations', '[{"query":"{ __typename }"}]', 400],
  ['a document that is a number', '{"query":1}', 400],
  ['variables that are a list', '{"query":"{ __typename }","variables":[]}', 400],
  ['nothing', '', 400],
] as const)('a body that holds %s is refused, saying what was wanted', async ([, body, status]) => {
  const answer = await send(body);
  expect([answer.status, answer.text.includes('anted')]).toEqual([status, true]);
});

test('a body may be compressed, and is no bomb', async () => {
  const small = gzipSync(JSON.stringify({ query: '{ __typename }' }));
  expect((await send(Uint8Array.from(small), { 'content-encoding': 'gzip' })).text).toContain('"__typename":"Query"');
  const bomb = gzipSync(JSON.stringify({ query: '{ __typename }', filler: ' '.repeat(64 * 1024 * 1024) }));
  expect((await send(Uint8Array.from(bomb), { 'content-encoding': 'gzip' })).status).toBe(413);
  expect((await send('{}', { 'content-encoding': 'zstd' })).status).toBe(415);
});

test('a client that accepts no form that there is gets 406', async () => {
  expect((await send('{"query":"{ __typename }"}', { accept: 'text/html' })).status).toBe(406);
});

test('answers are not kept by caches on the way', async () => {
  expect((await send('{"query":"{ __typename }"}')).headers.get('cache-control')).toBe('no-store');
});

test('a client that goes away ends its fetches in the subgraphs', async () => {
  const client = new AbortController();
  const body = JSON.stringify({ query: '{ item(externalId: "slow") { title } }' });
  const headers = { 'content-type': 'application/json', authorization };
  const answer = fetch(`${graph.gateway.url}/graphql`, { method: 'POST', body, headers, signal: client.signal });
  await expect.poll(() => graph.world.calls.length).toBe(1);
  const [call] = graph.world.calls;
  client.abort();
  await expect(answer).rejects.toBeDefined();
  await expect.poll(() => call?.signal.aborted).toBe(true);
});

test.for([
  [0, 'the peer, whatever a client writes', '9.9.9.9'],
  [1, 'what the one proxy saw', '203.0.113.7'],
  [2, 'what the outer of two proxies saw', '198.51.100.2'],
] as const)('behind %i trusted proxies the address is %s', ([trustedProxies, , address]) => {
  const headers = { 'x-forwarded-for': '6.6.6.6, 198.51.100.2, 203.0.113.7' };
  const request = { headers, socket: { remoteAddress: '9.9.9.9' } } as object as IncomingMessage;
  expect(addressOf(request, trustedProxies)).toBe(address);
});

test('a client that goes away in the middle of its body leaves nothing waiting', async () => {
  const { hostname, port } = new URL(graph.gateway.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const head = ['POST /graphql HTTP/1.1', 'host: test', 'content-type: application/json', 'content-length: 1000'];
  socket.write(`${head.join('\r\n')}\r\n\r\n{"query":`);
  const countOf = async () => {
    const metrics = await (await fetch(`${graph.gateway.url}/metrics`)).text();
    return [...metrics.matchAll(/kindred_http_requests_total\{[^}]*route="\/graphql"[^}]*\} (\d+)/g)].reduce(
      (sum, match) => sum + Number(match[1]),
      0,
    );
  };
  const before = await countOf();
  socket.destroy();
  await expect.poll(countOf).toBe(before + 1);
  expect((await send('{"query":"{ __typename }"}')).status).toBe(200);
});
