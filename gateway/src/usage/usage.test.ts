import { PLANS } from '@kindred/domain/plans';
import { expect, test } from 'vitest';
import { overSockets, post, refusalOf } from '../test-clients.ts';
import { startTestGraph, type TestGraph } from '../test-graph.ts';

const ITEM = '{ item(externalId: "1") { title } }';
const RECOMMEND = '{ recommend(input: { user: { externalId: "u1" } }, first: 20) { edges { node { title } } } }';
const bearer = async (graph: TestGraph) => ({ authorization: `Bearer ${await graph.signSession()}` });
const codesOf = (answer: { errors?: { extensions?: { code?: string } }[] }) =>
  answer.errors?.map(({ extensions }) => extensions?.code);

function ledgerOf({ world }: TestGraph) {
  const entries = [...world.batches.values()].flat();
  const sum = (of: 'requests' | 'points' | 'recommendations') => entries.reduce((total, entry) => total + entry[of], 0);
  return { requests: sum('requests'), points: sum('points'), recommendations: sum('recommendations') };
}

test('at the last requests of a month exactly those pass, and the rest are refused before a subgraph is asked', async () => {
  await using graph = await startTestGraph();
  graph.world.allowance = { plan: 'FREE', requests: PLANS.FREE.requestsPerMonth - 11, points: 0 };
  const headers = await bearer(graph);
  const answers = await Promise.all(Array.from({ length: 100 }, () => post(graph.gateway.url, ITEM, { headers })));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(89);
  for (const answer of refused) expect(codesOf(answer)).toEqual(['QUOTA_EXCEEDED']);
  graph.world.calls.length = 0;
  const response = await fetch(`${graph.gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query: '{ item(externalId: "2") { title externalId } }' }),
  });
  await response.text();
  expect(response.headers.get('ratelimit')).toMatch(/^"month";r=0;t=\d+$/);
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(graph.world.calls).toEqual([]);
  await graph.gateway.drain();
  expect(ledgerOf(graph)).toMatchObject({ requests: 11 });
});

test('a month’s points end as its requests do, over sockets too', async () => {
  await using graph = await startTestGraph();
  graph.world.allowance = { plan: 'FREE', requests: 0, points: PLANS.FREE.pointsPerMonth - 1 };
  const headers = await bearer(graph);
  expect(codesOf(await post(graph.gateway.url, RECOMMEND, { headers }))).toEqual(['QUOTA_EXCEEDED']);
  const query = 'subscription { trainingProgress(runId: "run_1") { sequence run { model { name } } } }';
  const subscribed = overSockets(graph.gateway.url, { query, authorization: headers.authorization });
  expect(await refusalOf(subscribed)).toContain('QUOTA_EXCEEDED');
});

test('the plan says how many points a second there are', async () => {
  await using graph = await startTestGraph();
  graph.world.allowance = { plan: 'FREE', requests: 0, points: 0 };
  const response = await fetch(`${graph.gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(await bearer(graph)) },
    body: JSON.stringify({ query: ITEM }),
  });
  await response.text();
  const { pointsPerSecond, burst } = PLANS.FREE;
  expect(response.headers.get('ratelimit-policy')).toBe(`"points";q=${burst / 2};w=${burst / pointsPerSecond}`);
});

test('the ledger has what answers said that they cost, whatever became of a flush', async () => {
  await using graph = await startTestGraph({ usageFlushMs: 20 });
  graph.world.losesAcknowledgements = true;
  const headers = await bearer(graph);
  const asked = Array.from({ length: 60 }, (_, count) =>
    post(graph.gateway.url, count % 2 ? ITEM : RECOMMEND, { headers }),
  );
  const answers = await Promise.all(asked);
  const costs = answers.map(
    ({ text }) => (JSON.parse(text) as { extensions: { cost: { actual: number } } }).extensions,
  );
  const spent = costs.reduce((sum, { cost }) => sum + cost.actual, 0);
  await expect.poll(() => graph.world.batches.size).toBeGreaterThan(0);
  graph.world.losesAcknowledgements = false;
  await graph.gateway.drain();
  expect(ledgerOf(graph)).toEqual({ requests: 60, points: spent, recommendations: 30 });
});

test('what is refused is not counted', async () => {
  await using graph = await startTestGraph();
  const headers = await bearer(graph);
  await post(graph.gateway.url, '{ nothing }', { headers });
  await post(graph.gateway.url, 'subscription { trainingProgress(runId: "run_1") { sequence } }', { headers });
  await post(graph.gateway.url, ITEM, { headers });
  await graph.gateway.drain();
  expect(ledgerOf(graph)).toMatchObject({ requests: 1 });
});

test('reads are answered while neither plans nor months can be known', async () => {
  await using graph = await startTestGraph({ redisUrl: 'redis://127.0.0.1:1' });
  graph.world.allowance = new Error('gone');
  expect((await post(graph.gateway.url, ITEM, { headers: await bearer(graph) })).status).toBe(200);
});
