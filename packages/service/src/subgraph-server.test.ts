import { EventEmitter, on } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { AppError } from '@kindred/domain/app-error';
import type { TenantId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { createClient } from 'graphql-sse';
import { expect, test } from 'vitest';
import { INTERNAL_TOKEN_HEADER, signInternalToken } from './internal-token.ts';
import { createLogger } from './logger.ts';
import { LINES_TYPE } from './operation-lines.ts';
import { startSubgraph } from './subgraph-server.ts';

const SECRET = 'a secret of the tests, long enough to be one';
const TENANT = '01990000-0000-7000-8000-000000000001' as TenantId;
const reader: Viewer = { kind: 'apiKey', apiKeyId: TENANT as never, tenantId: TENANT, scopes: ['catalog:read'] };
const anonymous: Viewer = { kind: 'anonymous', scopes: [] };

const typeDefs = /* GraphQL */ `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes", "@authenticated"])
  type Query {
    open: String!
    titles: [String!] @requiresScopes(scopes: [["catalog:read"]])
    secrets: String @requiresScopes(scopes: [["tenant:manage"], ["catalog:read", "catalog:write"]])
    who: String @authenticated
    refused: String
    broken: String
  }
  type Subscription {
    ticks(from: Int): Int! @requiresScopes(scopes: [["catalog:read"]])
    managed: Int! @requiresScopes(scopes: [["tenant:manage"]])
  }
  type Item @key(fields: "id") {
    id: ID!
    title: String!
  }
`;

async function startTestSubgraph() {
  const bus = new EventEmitter();
  const lines: string[] = [];
  const logger = createLogger('test', 'info', { write: (line) => void lines.push(line) });
  const ended: string[] = [];
  async function* ticks(_: unknown, args: { from?: number }, context: { signal: AbortSignal }) {
    try {
      yield { ticks: args.from ?? 0 };
      for await (const [tick] of on(bus, 'tick', { signal: context.signal })) {
        if (tick === 'break') throw new Error('connection to 10.0.0.7:5432 lost');
        yield { ticks: tick as number };
      }
    } finally {
      ended.push('ticks');
    }
  }
  const server = await startSubgraph({
    name: 'catalog',
    typeDefs,
    resolvers: {
      Query: {
        open: () => 'open',
        titles: () => ['Alien', 'Brazil'],
        secrets: () => 'never',
        who: (_: unknown, __: unknown, { viewer }: { viewer: Viewer }) => viewer.kind,
        refused: () => {
          throw new AppError('NOT_FOUND', 'There is no such item.');
        },
        broken: () => {
          throw new Error('password of postgres://app:hunter2@10.0.0.7 is wrong');
        },
      },
      Subscription: { ticks: { subscribe: ticks }, managed: { subscribe: ticks } },
      Item: {
        __resolveReference: ({ id }: { id: string }) => {
          if (id === 'malformed') throw new AppError('BAD_USER_INPUT', `"${id}" is no id.`);
          if (id === 'failing') return Promise.reject(new AppError('UNAVAILABLE', 'Not now.'));
          return { id, title: `Item ${id}` };
        },
      },
    },
    env: { host: '127.0.0.1', port: 0, internalTokenSecret: SECRET },
    createContext: (viewer, { signal }) => ({ viewer, signal }),
    logger,
    readiness: { database: async () => {} },
  });
  return { server, bus, lines, ended, [Symbol.asyncDispose]: () => server.drain() };
}

interface Call {
  viewer?: Viewer;
  audience?: string;
  token?: string;
  send?: string;
}

async function post(url: string, query: string, { viewer = reader, audience = 'catalog', token, send }: Call = {}) {
  const body = JSON.stringify({ query });
  const headers = {
    'content-type': 'application/json',
    [INTERNAL_TOKEN_HEADER]: token ?? signInternalToken(SECRET, { audience, viewer, body }),
  };
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: send ?? body });
  return {
    status: response.status,
    ...((await response.json()) as {
      data?: unknown;
      errors?: { message: string; extensions: Record<string, unknown> }[];
    }),
  };
}

function streamClient(url: string, viewer: Viewer = reader) {
  return createClient({
    url: `${url}/graphql/stream`,
    retryAttempts: 0,
    fetchFn: (input: string, init: RequestInit & { body: string }) => {
      const { body } = init;
      const token = signInternalToken(SECRET, { audience: 'catalog', viewer, body });
      return fetch(input, {
        ...init,
        headers: { ...(init.headers as Record<string, string>), [INTERNAL_TOKEN_HEADER]: token },
      });
    },
  });
}

test('a request with an internal token for exactly this body is answered', async () => {
  await using subgraph = await startTestSubgraph();
  expect(await post(subgraph.server.url, '{ titles who }')).toEqual({
    status: 200,
    data: { titles: ['Alien', 'Brazil'], who: 'apiKey' },
  });
});

/** Operations of one body, and the answer to each. */
async function postLines(url: string, lines: readonly string[], { send = lines, viewer = reader } = {}) {
  const body = lines.join('\n');
  const headers = {
    'content-type': LINES_TYPE,
    [INTERNAL_TOKEN_HEADER]: signInternalToken(SECRET, { audience: 'catalog', viewer, body }),
  };
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: send.join('\n') });
  const answers = (await response.text()).split('\n').map((line): unknown => JSON.parse(line));
  return { status: response.status, answers };
}

const lineOf = (query: string) => JSON.stringify({ query });

test('operations that share a body are answered line by line, and what is wrong with one is no matter of the others', async () => {
  await using subgraph = await startTestSubgraph();
  const lines = [lineOf('{ open }'), lineOf('{ broken }'), 'no JSON', lineOf('{ titles }'), lineOf('{ nothing }')];
  const { status, answers } = await postLines(subgraph.server.url, lines);
  expect(status).toBe(200);
  const code = (name: string) => ({
    errors: [expect.objectContaining({ extensions: expect.objectContaining({ code: name }) })],
  });
  expect(answers).toEqual([
    { data: { open: 'open' } },
    { data: { broken: null }, ...code('INTERNAL_SERVER_ERROR') },
    code('BAD_USER_INPUT'),
    { data: { titles: ['Alien', 'Brazil'] } },
    code('GRAPHQL_VALIDATION_FAILED'),
  ]);
});

test("one token admits exactly its lines, in their order, with one viewer's rights", async () => {
  await using subgraph = await startTestSubgraph();
  const lines = [lineOf('{ open }'), lineOf('{ titles }')];
  for (const send of [lines.toReversed(), [...lines, lineOf('{ who }')], lines.slice(0, 1)]) {
    expect(await postLines(subgraph.server.url, lines, { send })).toMatchObject({
      status: 401,
      answers: [{ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }],
    });
  }
  expect((await postLines(subgraph.server.url, lines, { viewer: anonymous })).answers).toMatchObject([
    { data: { open: 'open' } },
    { data: { titles: null }, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
  ]);
});

test('a body of more than 32 operations is refused', async () => {
  await using subgraph = await startTestSubgraph();
  const lines = Array.from({ length: 33 }, () => lineOf('{ open }'));
  expect(await postLines(subgraph.server.url, lines)).toMatchObject({
    status: 400,
    answers: [{ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] }],
  });
});

test('entities are resolved from their representations', async () => {
  await using subgraph = await startTestSubgraph();
  const query = '{ _entities(representations: [{ __typename: "Item", id: "7" }]) { ... on Item { title } } }';
  expect(await post(subgraph.server.url, query)).toMatchObject({ data: { _entities: [{ title: 'Item 7' }] } });
});

test('a reference that throws at once fails alone, beside others that reject', async () => {
  await using subgraph = await startTestSubgraph();
  const representations = ['failing', 'malformed', '7'].map((id) => `{ __typename: "Item", id: "${id}" }`);
  const query = `{ _entities(representations: [${representations.join()}]) { ... on Item { title } } }`;
  const answer = await post(subgraph.server.url, query);
  expect(answer.data).toEqual({ _entities: [null, null, { title: 'Item 7' }] });
  expect(answer.errors?.map((error) => error.extensions.code).toSorted()).toEqual(['BAD_USER_INPUT', 'UNAVAILABLE']);
});

test.for([
  ['no token', { token: '' }],
  ['a token for another subgraph', { audience: 'tenant' }],
  ['a token for another body', { send: '{"query":"{ secrets }"}' }],
  [
    'a token signed with another secret',
    { token: signInternalToken('x'.repeat(40), { audience: 'catalog', viewer: reader, body: '{"query":"{ open }"}' }) },
  ],
] as const)('a request with %s is refused with 401 before it is parsed', async ([, call]) => {
  await using subgraph = await startTestSubgraph();
  const answer = await post(subgraph.server.url, '{ open }', call);
  expect(answer.status).toBe(401);
  expect(answer.errors?.[0]?.extensions).toEqual({ code: 'UNAUTHENTICATED' });
  expect(answer.data).toBeUndefined();
});

test('a field that asks for a credential refuses anonymous viewers, and leaves the rest of the answer', async () => {
  await using subgraph = await startTestSubgraph();
  const answer = await post(subgraph.server.url, '{ open titles who }', { viewer: anonymous });
  expect(answer.data).toEqual({ open: 'open', titles: null, who: null });
  expect(answer.errors?.map((error) => error.extensions.code)).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
});

test('a field refuses a viewer who has none of its sets of scopes whole', async () => {
  await using subgraph = await startTestSubgraph();
  const answer = await post(subgraph.server.url, '{ secrets }');
  expect(answer).toMatchObject({ data: { secrets: null }, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  const writer: Viewer = { ...reader, scopes: ['catalog:write', 'catalog:read'] };
  expect(await post(subgraph.server.url, '{ secrets }', { viewer: writer })).toMatchObject({
    data: { secrets: 'never' },
  });
});

test('an AppError keeps its code and message, any other error is masked with a trace id and logged once with its cause', async () => {
  await using subgraph = await startTestSubgraph();
  const { errors } = await post(subgraph.server.url, '{ refused broken }');
  expect(errors?.[0]).toMatchObject({
    message: 'There is no such item.',
    path: ['refused'],
    extensions: { code: 'NOT_FOUND' },
  });
  expect(errors?.[1]?.extensions).toEqual({
    code: 'INTERNAL_SERVER_ERROR',
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(JSON.stringify(errors)).not.toMatch(/postgres|10\.0\.0\.7/);
  const logged = subgraph.lines.filter((line) => line.includes('hunter2'));
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain(errors?.[1]?.extensions.traceId);
});

test('a query that does not fit the schema is refused as such', async () => {
  await using subgraph = await startTestSubgraph();
  const answer = await post(subgraph.server.url, '{ nothing }');
  expect(answer).toMatchObject({ status: 400, errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] });
});

test.each([
  ['text that is no operation', '{ open', 'GRAPHQL_PARSE_FAILED'],
  ['introspection', '{ __schema { types { name } } }', 'GRAPHQL_VALIDATION_FAILED'],
  ['a subscription', 'subscription { ticks }', 'OPERATION_RESOLUTION_FAILURE'],
  [
    'one of several operations without a name',
    'query A { open } query B { open }',

    'OPERATION_RESOLUTION_FAILURE',
  ],
  [
    'a variable that is missing',
    'query ($id: ID!) { _entities(representations: [{ __typename: "Item", id: $id }]) { __typename } }',

    'BAD_USER_INPUT',
  ],
])('%s is refused by its own code, each time', async (_, query, code) => {
  await using subgraph = await startTestSubgraph();
  for (let time = 0; time < 2; time++) {
    const answer = await post(subgraph.server.url, query);
    expect([answer.status, answer.errors?.[0]?.extensions.code]).toEqual([400, code]);
  }
});

test.each([['[]'], ['"{ open }"'], ['{"query":7}'], ['{"query":"{ open }","variables":[]}'], ['{"query":']])(
  'a body of %s is refused as no operation',
  async (body) => {
    await using subgraph = await startTestSubgraph();
    const token = signInternalToken(SECRET, { audience: 'catalog', viewer: reader, body });
    const answer = await post(subgraph.server.url, '', { token, send: body });
    expect(answer).toMatchObject({ status: 400, errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  },
);

test('a body beyond 16 MiB is refused, and the next request is answered', async () => {
  await using subgraph = await startTestSubgraph();
  const large = `{"query":"${' '.repeat(16 * 2 ** 20)}"}`;
  const token = signInternalToken(SECRET, { audience: 'catalog', viewer: reader, body: large });
  const answer = await post(subgraph.server.url, '', { token, send: large });
  expect(answer).toMatchObject({ status: 413, errors: [{ message: 'The request body is too large.' }] });
  expect(await post(subgraph.server.url, '{ open }')).toMatchObject({ data: { open: 'open' } });
});

test('a subscription streams its events and its resolver ends when the client cancels', async () => {
  await using subgraph = await startTestSubgraph();
  const results = streamClient(subgraph.server.url).iterate({ query: 'subscription { ticks(from: 5) }' });
  expect((await results.next()).value).toEqual({ data: { ticks: 5 } });
  subgraph.bus.emit('tick', 6);
  expect((await results.next()).value).toEqual({ data: { ticks: 6 } });
  await results.return?.();
  await expect.poll(() => subgraph.ended).toEqual(['ticks']);
  expect(subgraph.bus.listenerCount('tick')).toBe(0);
});

test('an error in the source of a subscription reaches the client masked', async () => {
  await using subgraph = await startTestSubgraph();
  const results = streamClient(subgraph.server.url).iterate({ query: 'subscription { ticks }' });
  await results.next();
  subgraph.bus.emit('tick', 'break');
  const { value } = await results.next();
  expect(value).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] });
  expect(JSON.stringify(value)).not.toContain('10.0.0.7');
  expect((await results.next()).done).toBe(true);
});

test('a subscription refuses a viewer without its scopes', async () => {
  await using subgraph = await startTestSubgraph();
  const results = streamClient(subgraph.server.url).iterate({ query: 'subscription { managed }' });
  expect((await results.next()).value).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  expect(subgraph.ended).toEqual([]);
});

test('draining ends streams without "complete", so that clients know they lost the connection', async () => {
  const subgraph = await startTestSubgraph();
  const results = streamClient(subgraph.server.url).iterate({ query: 'subscription { ticks }' });
  await results.next();
  const next = results.next().then(
    () => 'completed',
    () => 'lost',
  );
  await subgraph.server.drain();
  expect(await Promise.race([next, wait(2_000, 'neither')])).toBe('lost');
  expect(subgraph.ended).toEqual(['ticks']);
});

test('liveness, readiness and metrics need no token', async () => {
  await using subgraph = await startTestSubgraph();
  const { url } = subgraph.server;
  await post(url, '{ open }');
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  expect(await (await fetch(`${url}/health/ready`)).json()).toEqual({ status: 'ready', reasons: {} });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain(
    'kindred_http_requests_total{method="POST",route="/graphql",status="200",service="catalog"} 1',
  );
  expect(metrics).toContain('process_cpu_seconds_total');
});
