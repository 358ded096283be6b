import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createProxyServer, type Socket } from 'node:net';
import { newId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { createLogger } from '@kindred/service/logger';
import { startSubgraph } from '@kindred/service/subgraph-server';
import { expect, test } from 'vitest';
import { createSubgraphClient, type SubgraphCall } from './subgraph-client.ts';

const SECRET = 'a secret of the tests, long enough to be one';
const apiKeyOf = (): Viewer => ({
  kind: 'apiKey',
  apiKeyId: newId('ApiKey'),
  tenantId: newId('Tenant'),
  scopes: [],
});
const A = apiKeyOf();
const B = apiKeyOf();

const typeDefs = /* GraphQL */ `
  type Query {
    key(text: String): ID!
    slow: String
  }
  type Mutation {
    count: Int!
  }
`;

const bodyOf = (query: string, variables = {}) => JSON.stringify({ query, variables });
const KEY: SubgraphCall = { name: 'catalog', body: bodyOf('{ key }'), repeatable: true };
const SLOW: SubgraphCall = { name: 'catalog', body: bodyOf('{ slow }'), repeatable: true };
const COUNT: SubgraphCall = { name: 'catalog', body: bodyOf('mutation { count }'), repeatable: false };

async function startTestSubgraph({ port = 0 } = {}) {
  const state = { slow: Promise.withResolvers<string>(), slowCalls: 0, left: 0, counted: 0 };
  const server = await startSubgraph({
    name: 'catalog',
    typeDefs,
    resolvers: {
      Query: {
        key: (_: unknown, __: unknown, { viewer }: { viewer: { apiKeyId: string } }) => viewer.apiKeyId,
        slow: (_: unknown, __: unknown, { signal }: { signal: AbortSignal }) => {
          state.slowCalls += 1;
          signal.addEventListener('abort', () => (state.left += 1));
          return state.slow.promise;
        },
      },
      Mutation: { count: () => ++state.counted },
    },
    env: { host: '127.0.0.1', port, internalTokenSecret: SECRET },
    createContext: (viewer, request) => ({ viewer, signal: request.signal }),
    logger: createLogger('test', 'silent'),
    readiness: {},
  });
  const callsBy = async (method: string, route: string) => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const line = metrics
      .split('\n')
      .find((text) => text.includes(`requests_total{method="${method}",route="${route}"`));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  return {
    state,
    server,
    overChannels: () => callsBy('CALL', '/graphql/channel'),
    overHttp: () => callsBy('POST', '/graphql'),
    [Symbol.asyncDispose]: () => server.drain(),
  };
}

function createTestClient(url: string) {
  const client = createSubgraphClient({
    subgraphUrls: { tenant: url, catalog: url, model: url, recommendation: url },
    internalTokenSecret: SECRET,
  });
  const send = (call: SubgraphCall, { viewer = A, signal = new AbortController().signal } = {}) =>
    client.send(call, { viewer, traceId: '0'.repeat(32), signal, deadlineAt: performance.now() + 5_000 });
  return { client, send, [Symbol.asyncDispose]: () => client.close() };
}

/** A client whose calls go over a channel from here on. */
async function connectClient(subgraph: Awaited<ReturnType<typeof startTestSubgraph>>, url = subgraph.server.url) {
  const client = createTestClient(url);
  const count = await subgraph.overChannels();
  await expect
    .poll(async () => {
      await client.send(KEY);
      return await subgraph.overChannels();
    })
    .toBeGreaterThan(count);
  return client;
}

/** A way to a server that can be cut. */
async function startProxy(target: string) {
  const sockets = new Set<Socket>();
  const proxy = createProxyServer((near) => {
    const far = connect(Number(new URL(target).port), '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined).on('close', () => to.destroy());
      from.pipe(to);
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut: () => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}

test('the first calls go over HTTP, and all after them over one channel, each for its own viewer', async () => {
  await using subgraph = await startTestSubgraph();
  await using client = createTestClient(subgraph.server.url);
  expect(await client.send(KEY)).toEqual({ statusCode: 200, text: JSON.stringify({ data: { key: keyOf(A) } }) });
  expect(await subgraph.overHttp()).toBe(1);
  await expect.poll(async () => (await client.send(KEY)) && (await subgraph.overChannels())).toBeGreaterThan(0);
  const [http, channels] = [await subgraph.overHttp(), await subgraph.overChannels()];
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => client.send(KEY, { viewer: index % 2 === 0 ? A : B })),
  );
  expect(answers.map(({ text }) => (JSON.parse(text) as { data: { key: string } }).data.key)).toEqual(
    Array.from({ length: 20 }, (_, index) => keyOf(index % 2 === 0 ? A : B)),
  );
  expect([await subgraph.overHttp(), await subgraph.overChannels()]).toEqual([http, channels + 20]);
});

const keyOf = (viewer: Viewer) => ('apiKeyId' in viewer ? viewer.apiKeyId : '');

test('a slow call holds up no other, and a caller that goes away ends its own', async () => {
  await using subgraph = await startTestSubgraph();
  await using client = await connectClient(subgraph);
  const caller = new AbortController();
  const slow = client.send(SLOW, { signal: caller.signal });
  expect((await client.send(KEY)).statusCode).toBe(200);
  await expect.poll(() => subgraph.state.slowCalls).toBe(1);
  caller.abort();
  await expect(slow).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect.poll(() => subgraph.state.left).toBe(1);
});

test('a long body goes over HTTP', async () => {
  await using subgraph = await startTestSubgraph();
  await using client = await connectClient(subgraph);
  const before = await subgraph.overHttp();
  const long = bodyOf('query ($text: String) { key(text: $text) }', { text: 'x'.repeat(300_000) });
  expect((await client.send({ ...KEY, body: long })).statusCode).toBe(200);
  expect(await subgraph.overHttp()).toBe(before + 1);
});

test('when a channel is lost a query is asked once more, and a mutation is not', async () => {
  await using subgraph = await startTestSubgraph();
  using proxy = await startProxy(subgraph.server.url);
  await using client = await connectClient(subgraph, proxy.url);
  const slow = client.send(SLOW);
  const mutation = client.send({ ...SLOW, repeatable: false });
  await expect.poll(() => subgraph.state.slowCalls).toBe(2);
  proxy.cut();
  await expect(mutation).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect.poll(() => subgraph.state.slowCalls).toBe(3);
  subgraph.state.slow.resolve('after all');
  expect(JSON.parse((await slow).text)).toEqual({ data: { slow: 'after all' } });
});

test('all that was asked of a subgraph that drains is answered, and its successor gets a channel of its own', async () => {
  const first = await startTestSubgraph();
  const { port } = first.server;
  await using client = await connectClient(first);
  const slow = client.send(SLOW);
  await expect.poll(() => first.state.slowCalls).toBe(1);
  const counts = Array.from({ length: 50 }, () => client.send(COUNT));
  const drained = first.server.drain();
  const counted = (await Promise.all(counts)).map(({ text }) => (JSON.parse(text) as CountAnswer).data.count);
  expect(counted.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
  first.state.slow.resolve('in time');
  expect(JSON.parse((await slow).text)).toEqual({ data: { slow: 'in time' } });
  await drained;

  await using second = await startTestSubgraph({ port });
  const askSecond = async () => {
    await client.send(KEY).catch(() => undefined);
    return await second.overChannels();
  };
  await expect.poll(askSecond, { timeout: 10_000 }).toBeGreaterThan(0);
});

interface CountAnswer {
  data: { count: number };
}

test('a subgraph of another make, without channels, is asked over HTTP', async () => {
  let posts = 0;
  const server = createServer((req: IncomingMessage, res: ServerResponse) => {
    req.resume();
    if (req.method === 'POST') posts += 1;
    res.writeHead(req.method === 'POST' ? 200 : 404).end('{"data":{}}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using client = createTestClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  for (let call = 0; call < 5; call++) expect(await client.send(KEY)).toEqual({ statusCode: 200, text: '{"data":{}}' });
  expect(posts).toBe(5);
  server.closeAllConnections();
  server.close();
});
