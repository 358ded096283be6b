import { expect, test } from 'vitest';
import { FAIL_CLOSED } from './operations.ts';
import { overEventStreams, overSockets, post, refusalOf } from './test-clients.ts';
import { startTestGraph } from './test-graph.ts';

const PLENTY = { pointsPerSecond: 1_000, burst: 10_000 };
const FEW = { pointsPerSecond: 1, burst: 5 };
const policyOf = (rates: object) => ({
  credential: PLENTY,
  tenant: PLENTY,
  address: PLENTY,
  anonymousAddress: PLENTY,
  ...rates,
});
const ITEM = '{ item(externalId: "1") { title } }';

test('an answer says what it cost and what is left, in its headers too', async () => {
  await using graph = await startTestGraph({
    ratePolicy: policyOf({ credential: { pointsPerSecond: 1, burst: 100 } }),
  });
  const query = '{ recommend(input: { user: { externalId: "u1" } }, first: 20) { edges { node { title } } } }';
  const response = await fetch(`${graph.gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await graph.signSession()}` },
    body: JSON.stringify({ query }),
  });
  const { extensions } = (await response.json()) as { extensions: { cost: Record<string, number> } };
  // Twenty edges were asked for; a connection, two edges and two items came.
  expect(extensions.cost).toEqual({ requested: 63, actual: 5, remaining: 95 });
  expect(response.headers.get('ratelimit')).toMatch(/^"points";r=9[45];t=[56]$/);
  expect(response.headers.get('ratelimit-policy')).toBe('"points";q=100;w=100');
});

test('whoever asks too much gets 429 with the time to wait, and no subgraph is asked', async () => {
  await using graph = await startTestGraph({ ratePolicy: policyOf({ credential: FEW }) });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${await graph.signSession()}` };
  const body = JSON.stringify({
    query: `{ ${Array.from({ length: 5 }, (_, i) => `a${i}: item(externalId: "${i}") { title }`).join(' ')} }`,
  });
  const ask = () => fetch(`${graph.gateway.url}/graphql`, { method: 'POST', headers, body });
  await (await ask()).text();
  graph.world.calls.length = 0;
  const refused = await ask();
  expect(refused.status).toBe(429);
  expect(await refused.text()).toContain('RATE_LIMITED');
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(graph.world.calls).toEqual([]);
  const other = { authorization: `Bearer ${await graph.signSession()}` };
  expect((await post(graph.gateway.url, ITEM, { headers: other })).status).toBe(200);
});

test('subscriptions are charged too, over sockets and streams', async () => {
  await using graph = await startTestGraph({
    ratePolicy: policyOf({ credential: { pointsPerSecond: 0.001, burst: 1 } }),
  });
  const query = 'subscription { trainingProgress(runId: "run_1") { sequence run { model { name } } } }';
  for (const subscribe of [overSockets, overEventStreams]) {
    const subscribed = subscribe(graph.gateway.url, { query, authorization: `Bearer ${await graph.signSession()}` });
    expect(await refusalOf(subscribed)).toContain('RATE_LIMITED');
  }
});

test('without Redis reads are answered, and sign-in, keys and training are not', async () => {
  await using graph = await startTestGraph({ redisUrl: 'redis://127.0.0.1:1' });
  const headers = { authorization: `Bearer ${await graph.signSession({ role: 'OWNER' })}` };
  expect((await post(graph.gateway.url, ITEM, { headers })).data).toEqual({ item: { title: 'Film 1' } });
  const mutations = [
    'mutation { signIn(input: { email: "a@b.test", password: "p" }) { userErrors { code } } }',
    'mutation { ...F } fragment F on Mutation { createApiKey(input: { name: "k", kind: SECRET }) { userErrors { code } } }',
    'mutation { ... { trainModel(input: { modelId: "m" }) { userErrors { code } } } }',
  ];
  for (const query of mutations) {
    expect([(await post(graph.gateway.url, query, { headers })).status, query]).toEqual([503, query]);
  }
});

test('what fails closed is in the schema', async () => {
  await using graph = await startTestGraph();
  const headers = { authorization: `Bearer ${await graph.signSession()}` };
  const query = '{ mutations: __type(name: "Mutation") { fields { name } } }';
  const { data } = await post(graph.gateway.url, query, { headers });
  const mutations = data?.mutations as { fields: { name: string }[] } | undefined;
  const names = mutations?.fields.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining([...FAIL_CLOSED]));
});
