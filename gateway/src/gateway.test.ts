import { generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type Answer, post } from './test-clients.ts';
import { ALLOWED_ORIGIN, INTERNAL_SECRET, startTestGraph, type TestGraph } from './test-graph.ts';
import { signInternalToken } from '@kindred/service/internal-token';

let graph: TestGraph;

beforeAll(async () => {
  graph = await startTestGraph();
});
afterAll(async () => {
  await graph[Symbol.asyncDispose]();
});
beforeEach(() => {
  graph.world.calls.length = 0;
});

const ask = async (query: string, options: Parameters<typeof post>[2] = {}): Promise<Answer> => {
  const authorization = `Bearer ${await graph.signSession()}`;
  return await post(graph.gateway.url, query, { ...options, headers: { authorization, ...options.headers } });
};
const codesOf = (answer: Answer) => answer.errors?.map((error) => error.extensions.code);

test('one query is answered from all four subgraphs', async () => {
  const answer = await ask(`{
    recommend(input: { user: { externalId: "u1" } }, first: 2) {
      status
      modelVersion { number model { name tenant { name } } }
      edges { rank node { title } }
    }
  }`);
  expect(answer.errors).toBeUndefined();
  expect(answer.data).toEqual({
    recommend: {
      status: 'PERSONALIZED',
      modelVersion: { number: 3, model: { name: 'For you', tenant: { name: 'Acme' } } },
      edges: [
        { rank: 1, node: { title: 'Film 7' } },
        { rank: 2, node: { title: 'Film 8' } },
      ],
    },
  });
});

test('every subgraph is told the account, tenant and scopes of the session', async () => {
  await ask('{ tenant { name } item(externalId: "1") { title } }');
  expect(graph.world.calls.map(({ subgraph }) => subgraph).toSorted()).toEqual(['catalog', 'tenant']);
  for (const { viewer } of graph.world.calls) {
    expect(viewer).toMatchObject({ kind: 'account', tenantId: graph.world.tenantId, role: 'MEMBER' });
    expect(viewer.scopes).toContain('models:train');
    expect(viewer.scopes).not.toContain('tenant:manage');
  }
});

test('a caller without a credential gets what is open to all, and UNAUTHENTICATED for the rest', async () => {
  const answer = await post(graph.gateway.url, '{ viewer { scopes } item(externalId: "1") { title } }');
  expect(answer).toMatchObject({ status: 200, data: { viewer: null, item: null } });
  expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
});

test('a credential without the scope of a field is refused it', async () => {
  const answer = await ask('{ tenant { name apiKeys { edges { cursor } } } }');
  expect(codesOf(answer)).toEqual(['FORBIDDEN']);
});

test.for<[string, () => Promise<string>]>([
  ['for another audience', () => graph.signSession({}, { audience: 'another-api' })],
  ['that expired', () => graph.signSession({}, { expiresIn: '-1s' })],
  ['with a role that does not exist', () => graph.signSession({ role: 'GOD' })],
  ['for a tenant that is no id', () => graph.signSession({ tenant: '*' })],
  ['signed by somebody else', async () => graph.signSession({}, { key: (await generateKeyPair('EdDSA')).privateKey })],
  ['that is no token', async () => 'nonsense'],
])('a session %s is refused with 401', async ([, token]) => {
  const answer = await post(graph.gateway.url, '{ viewer { scopes } }', {
    headers: { authorization: `Bearer ${await token()}` },
  });
  expect(answer.status).toBe(401);
  expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
  expect(graph.world.calls).toEqual([]);
});

test('an API key works in either header, and many requests at once ask for it once', async () => {
  const apiKey = `ks_${'a1'.repeat(16)}`;
  graph.world.apiKeys.set(apiKey, 'PUBLISHABLE');
  const headers = [
    { authorization: `Bearer ${apiKey}` },
    { 'x-api-key': apiKey },
    { authorization: `Bearer ${apiKey}` },
  ];
  const answers = await Promise.all(
    headers.map((header) => post(graph.gateway.url, '{ viewer { scopes } }', { headers: header })),
  );
  const scopes = ['recommendations:read', 'interactions:write', 'catalog:read'];
  for (const answer of answers) expect(answer.data).toEqual({ viewer: { scopes } });
  expect(graph.world.calls.filter(({ field }) => field === 'authenticateApiKey')).toHaveLength(1);
});

test('an API key is refused what it has no scope for', async () => {
  const apiKey = `ks_${'b1'.repeat(16)}`;
  graph.world.apiKeys.set(apiKey, 'PUBLISHABLE');
  const answer = await post(graph.gateway.url, '{ model(id: "mdl_1") { name } }', { headers: { 'x-api-key': apiKey } });
  expect(codesOf(answer)).toEqual(['FORBIDDEN']);
});

test('a revoked API key stops working within 10 seconds', async () => {
  const apiKey = `ks_${'c1'.repeat(16)}`;
  graph.world.apiKeys.set(apiKey, 'SECRET');
  const headers = { 'x-api-key': apiKey };
  expect((await post(graph.gateway.url, '{ viewer { scopes } }', { headers })).status).toBe(200);
  graph.world.apiKeys.delete(apiKey);
  const now = Date.now();
  vi.spyOn(Date, 'now').mockImplementation(() => now + 10_001);
  try {
    expect((await post(graph.gateway.url, '{ viewer { scopes } }', { headers })).status).toBe(401);
  } finally {
    vi.restoreAllMocks();
  }
});

test('a publishable API key that is bound to origins is refused to pages of others, and to those that name none', async () => {
  const apiKey = `kp_${'d1'.repeat(16)}`;
  graph.world.apiKeys.set(apiKey, 'PUBLISHABLE');
  graph.world.apiKeyRules.set(apiKey, { allowedOrigins: ['https://shop.example'] });
  const refusalFrom = async (origin: Record<string, string>) => {
    const answer = await post(graph.gateway.url, '{ viewer { scopes } }', {
      headers: { 'x-api-key': apiKey, ...origin },
    });
    return answer.errors?.[0]?.message ?? '';
  };
  // Nothing is published here: a key that is good in its place is refused the document, not the origin.
  expect(await refusalFrom({ origin: 'https://shop.example' })).toContain('published');
  for (const origin of ['https://evil.example', 'https://shop.example.evil.example', 'http://shop.example', 'null']) {
    expect(await refusalFrom({ origin })).toContain('other origins');
  }
  expect(await refusalFrom({})).toContain('other origins');
});

test('an API key stops working at the moment it expires, however fresh its look-up is', async () => {
  const apiKey = `ks_${'e1'.repeat(16)}`;
  graph.world.apiKeys.set(apiKey, 'SECRET');
  graph.world.apiKeyRules.set(apiKey, { expiresAt: new Date(Date.now() + 5_000).toISOString() });
  const headers = { 'x-api-key': apiKey };
  expect((await post(graph.gateway.url, '{ viewer { scopes } }', { headers })).status).toBe(200);
  const now = Date.now();
  vi.spyOn(Date, 'now').mockImplementation(() => now + 5_001);
  try {
    expect((await post(graph.gateway.url, '{ viewer { scopes } }', { headers })).status).toBe(401);
  } finally {
    vi.restoreAllMocks();
  }
});

test('clients can neither see nor ask for the look-up of API keys', async () => {
  const answer = await ask('{ authenticateApiKey(apiKey: "x") { scopes } }');
  expect(answer.status).toBe(400);
  expect(graph.world.calls).toEqual([]);
});

test('internal headers from outside change nothing', async () => {
  const query = '{ item(externalId: "1") { title } }';
  const body = JSON.stringify({ query });
  const viewer = { kind: 'system', scopes: ['catalog:read'] } as const;
  const forged = signInternalToken(INTERNAL_SECRET, { audience: 'catalog', viewer, body });
  const answer = await post(graph.gateway.url, query, {
    headers: {
      'x-kindred-token': forged,
      'x-kindred-viewer': '{"kind":"account"}',
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    },
  });
  expect(codesOf(answer)).toEqual(['UNAUTHENTICATED']);
});

test('an error that its caller may know passes with its path, and names no subgraph', async () => {
  const answer = await ask('{ item(externalId: "missing") { title } }');
  expect(answer.errors).toEqual([
    { message: 'There is no such item.', path: ['item'], extensions: { code: 'NOT_FOUND' } },
  ]);
});

test('an internal error of a subgraph is masked, with the trace id under which it was logged once', async () => {
  const authorization = `Bearer ${await graph.signSession({ role: 'OWNER' })}`;
  const answer = await ask('{ tenant { apiKeys { edges { cursor } } } }', { headers: { authorization } });
  expect(codesOf(answer)).toEqual(['INTERNAL_SERVER_ERROR']);
  expect(answer.text).not.toMatch(/postgres|10\.0\.0\.7|serviceName/);
  const traceId = answer.errors?.[0]?.extensions.traceId;
  expect(graph.lines.filter((line) => line.includes(String(traceId)))).toHaveLength(1);
});

test('a value that a custom scalar refuses is the caller’s error', async () => {
  const query = 'query ($ids: [String!]!) { item(externalId: $ids) { title } }';
  expect((await ask(query, { variables: { ids: ['1'] } })).status).toBe(400);
});

test.for([
  ['of an ordinary size', '{ item(externalId: "1") { title } }', 200],
  [
    'that subscribes on a condition',
    'subscription ($c: Boolean!) { trainingProgress(runId: "x") @skip(if: $c) { sequence } }',
    400,
  ],
  ['of more than 4,000 tokens', `{ ${'viewer { scopes } '.repeat(1_001)} }`, 400],
  ['whose fragments expand to more than 1,000 selections', fragmentBomb(), 400],
] as const)('an operation %s is answered with the right status, quickly', async ([, query, status]) => {
  const startedAt = performance.now();
  expect((await ask(query)).status).toBe(status);
  expect(performance.now() - startedAt).toBeLessThan(500);
});

test('an operation deeper than 20 levels is refused before it is planned', async () => {
  const nested = 'runs { edges { node { model { '.repeat(6);
  const answer = await ask(`{ model(id: "mdl_1") { ${nested} name ${'} } } } '.repeat(6)} } }`);
  expect(answer.status).toBe(400);
  expect(answer.errors?.[0]?.message).toContain('more than 20 levels');
});

test('a long list of long lists is refused for its cost, whether its length is written or a variable', async () => {
  const dear = (first: string) =>
    `{ users(first: ${first}) { edges { node { interactions(first: 100) { edges { node { item { title } } } } } } } }`;
  const refusal = [{ message: expect.stringContaining('points'), extensions: { code: 'BAD_USER_INPUT' } }];
  expect(await ask(dear('100'))).toMatchObject({ status: 400, errors: refusal });
  const withVariable = `query ($first: Int!) ${dear('$first')}`;
  expect(await ask(withVariable, { variables: { first: 100 } })).toMatchObject({ status: 400, errors: refusal });
  expect((await ask(withVariable, { variables: { first: 10 } })).status).toBe(200);
  expect(graph.world.calls).toEqual([]);
});

test('an answer holds at most 5 errors, and says how many more there were', async () => {
  const invalid = await ask(`{ ${Array.from({ length: 20 }, (_, index) => `a${index}: nothing${index}`).join(' ')} }`);
  expect(invalid.errors).toHaveLength(5);
  const fields = Array.from({ length: 8 }, (_, index) => `a${index}: item(externalId: "missing") { title }`);
  const answer = await ask(`{ ${fields.join(' ')} }`);
  expect(answer.errors).toHaveLength(5);
  expect(answer.text).toContain('"errorsLeftOut":3');
});

test('operations are sent by POST only', async () => {
  const query = encodeURIComponent('mutation { revokeApiKey(input: { apiKeyId: "x" }) { userErrors { code } } }');
  for (const path of [`/graphql?query=${query}`, `/graphql/stream?query=${query}`]) {
    const response = await fetch(`${graph.gateway.url}${path}`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
  }
});

test('a body of more than 8 MiB is refused with 413', async () => {
  const answer = await ask('{ viewer { scopes } }', { variables: { filler: 'x'.repeat(9 * 1024 * 1024) } });
  expect(answer.status).toBe(413);
});

test('a request that a browser form could send is refused', async () => {
  const init = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{"query":"{ viewer { scopes } }"}' };
  expect((await fetch(`${graph.gateway.url}/graphql`, init)).status).toBe(415);
});

test('only pages of allowed origins may read answers', async () => {
  const preflight = async (origin: string) => {
    const headers = { origin, 'access-control-request-method': 'POST' };
    return await fetch(`${graph.gateway.url}/graphql`, { method: 'OPTIONS', headers });
  };
  const allowed = await preflight(ALLOWED_ORIGIN);
  expect(allowed.headers.get('access-control-allow-origin')).toBe(ALLOWED_ORIGIN);
  expect(allowed.headers.get('access-control-allow-headers')).toContain('authorization');
  expect((await preflight('http://evil.test')).headers.get('access-control-allow-origin')).toBeNull();
});

test('a subscription by plain HTTP is told where subscriptions run', async () => {
  const answer = await ask('subscription { trainingProgress(runId: "run_1") { sequence } }');
  expect(answer.status).toBe(400);
  expect(answer.errors?.[0]?.message).toContain('graphql-ws');
});

test('the schema can be asked for outside production, and not in it', async () => {
  const query = '{ __schema { queryType { name } } }';
  expect((await ask(query)).data).toEqual({ __schema: { queryType: { name: 'Query' } } });
  await using production = await startTestGraph({ production: true });
  expect((await post(production.gateway.url, query)).status).toBe(400);
});

test('mistakes get suggestions outside production, and not in it', async () => {
  const mistakes: [string, object?][] = [
    ['{ itm(externalId: "1") { title } }'],
    ['query ($input: RecommendInput!) { recommend(input: $input) { status } }', { input: { usr: {} } }],
  ];
  await using production = await startTestGraph({ production: true });
  for (const [query, variables = {}] of mistakes) {
    expect((await post(graph.gateway.url, query, { variables })).text).toContain('Did you mean');
    expect((await post(production.gateway.url, query, { variables })).text).not.toContain('Did you mean');
  }
});

test('the gateway is ready when all subgraphs live, and shows its metrics', async () => {
  const { url } = graph.gateway;
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('kindred_http_requests_total');
  expect(metrics).toContain('kindred_gateway_subscriptions_open{service="gateway"} 0');
});

test('a subgraph that is gone makes its fields UNAVAILABLE and the gateway unready, and leaks no address', async () => {
  await using broken = await startTestGraph();
  await broken.subgraphs.catalog.drain();
  const headers = { authorization: `Bearer ${await broken.signSession()}` };
  const answer = await post(broken.gateway.url, '{ tenant { name } item(externalId: "1") { title } }', { headers });
  expect(answer.data).toEqual({ tenant: { name: 'Acme' }, item: null });
  expect(codesOf(answer)).toEqual(['UNAVAILABLE']);
  expect(answer.text).not.toContain('127.0.0.1');
  const ready = await fetch(`${broken.gateway.url}/health/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toEqual({ status: 'unready', reasons: { catalog: 'ECONNREFUSED' } });
});

function fragmentBomb(): string {
  const levels = Array.from({ length: 12 }, (_, level) => level);
  const fragments = levels.map(
    (level) => `fragment F${level} on Viewer { ...F${level + 1} ...F${level + 1} tenant { id } }`,
  );
  return `{ viewer { ...F0 } } ${fragments.join(' ')} fragment F12 on Viewer { scopes }`;
}
