import { setTimeout as wait } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { overEventStreams, overOneEventStream, overSockets, post, refusalOf, type Subscribe } from './test-clients.ts';
import { ALLOWED_ORIGIN, startTestGraph, type TestGraph } from './test-graph.ts';

/** On a busy machine twenty sockets take seconds to open. */
const PATIENT = { timeout: 15_000 };

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

const PROGRESS = `subscription Progress($runId: ID!, $after: Int) {
  trainingProgress(runId: $runId, afterSequence: $after) {
    sequence
    message
    run { model { name tenant { name } } }
  }
}`;
const resultOf = (sequence: number) => ({
  data: {
    trainingProgress: {
      sequence,
      message: `line ${sequence}`,
      run: { model: { name: 'For you', tenant: { name: 'Acme' } } },
    },
  },
});
const codesOf = (result: unknown) =>
  (result as { errors: { extensions: { code: string } }[] }).errors.map(({ extensions }) => extensions.code);

function describeTransport(name: string, subscribe: Subscribe): void {
  describe(`subscriptions over ${name}`, () => {
    const start = async (query = PROGRESS, variables: Record<string, unknown> = { runId: 'run_1' }) =>
      subscribe(graph.gateway.url, { query, variables, authorization: `Bearer ${await graph.signSession()}` });
    const streamsClosed = () => expect.poll(() => graph.world.openStreams, PATIENT).toBe(0);

    test('every event carries fields of other subgraphs', async () => {
      const subscribed = await start();
      expect((await subscribed.next()).value).toEqual(resultOf(1));
      expect((await subscribed.next()).value).toEqual(resultOf(2));
      graph.world.bus.emit('event', 3);
      expect((await subscribed.next()).value).toEqual(resultOf(3));
      expect(graph.world.calls.filter(({ field }) => field === 'Tenant')).toHaveLength(3);
      await subscribed.cancel();
      await streamsClosed();
    });

    test('aliases, fragments and __typename are as in any operation', async () => {
      const subscribed = await start(`
        subscription { tick: trainingProgress(runId: "run_1") { ...Line __typename } }
        fragment Line on TrainingEvent { number: sequence run { model { owner: tenant { __typename title: name } } } }`);
      expect((await subscribed.next()).value).toEqual({
        data: {
          tick: {
            number: 1,
            __typename: 'TrainingEvent',
            run: { model: { owner: { __typename: 'Tenant', title: 'Acme' } } },
          },
        },
      });
      await subscribed.cancel();
      await streamsClosed();
    });

    test('a client that comes back resumes after the last sequence it saw', async () => {
      const subscribed = await start(PROGRESS, { runId: 'run_1', after: 1 });
      expect((await subscribed.next()).value).toEqual(resultOf(2));
      await subscribed.cancel();
      await streamsClosed();
    });

    test('cancelling closes the subscription in the subgraph, even between two events', async () => {
      const subscribed = await start();
      await subscribed.next();
      await subscribed.next();
      expect(graph.world.openStreams).toBe(1);
      await subscribed.cancel();
      await streamsClosed();
      const metrics = await (await fetch(`${graph.gateway.url}/metrics`)).text();
      expect(metrics).toContain('kindred_gateway_subscriptions_open{service="gateway"} 0');
    });

    test('the end of the events ends the subscription', async () => {
      const subscribed = await start();
      await subscribed.next();
      await subscribed.next();
      graph.world.bus.emit('event', 'end');
      expect((await subscribed.next()).done).toBe(true);
      await streamsClosed();
    });

    test('a source that fails reaches the client masked, and ends the subscription', async () => {
      const subscribed = await start();
      await subscribed.next();
      await subscribed.next();
      graph.world.bus.emit('event', new Error('connection to 10.0.0.7 lost'));
      const { value } = await subscribed.next();
      expect(codesOf(value)).toEqual(['INTERNAL_SERVER_ERROR']);
      expect(JSON.stringify(value)).not.toContain('10.0.0.7');
      expect((await subscribed.next()).done).toBe(true);
    });

    test('what the subgraph refuses reaches the client as an error', async () => {
      const subscribed = await start(PROGRESS, { runId: 'run_missing' });
      const { value } = await subscribed.next();
      expect(value).toMatchObject({
        errors: [{ message: 'There is no such run.', extensions: { code: 'NOT_FOUND' } }],
      });
      expect((await subscribed.next()).done).toBe(true);
    });

    test('a client without a credential is refused', async () => {
      const subscribed = subscribe(graph.gateway.url, { query: PROGRESS, variables: { runId: 'run_1' } });
      expect(codesOf((await subscribed.next()).value)).toEqual(['UNAUTHENTICATED']);
      expect(graph.world.openStreams).toBe(0);
    });

    test('a credential without the scope is refused', async () => {
      const apiKey = `ks_${'d1'.repeat(16)}`;
      graph.world.apiKeys.set(apiKey, 'PUBLISHABLE');
      const subscribed = subscribe(graph.gateway.url, {
        query: PROGRESS,
        variables: { runId: 'run_1' },
        authorization: `Bearer ${apiKey}`,
      });
      expect(codesOf((await subscribed.next()).value)).toEqual(['FORBIDDEN']);
    });

    test('a bad credential is refused before anything is subscribed', async () => {
      const subscribed = subscribe(graph.gateway.url, { query: PROGRESS, authorization: 'Bearer nonsense' });
      await expect(subscribed.next()).rejects.toBeDefined();
      expect(graph.world.openStreams).toBe(0);
    });

    test.for([
      ['that does not fit the schema', 'subscription { nothing }'],
      [
        'with a condition on its root field',
        'subscription ($c: Boolean!) { trainingProgress(runId: "run_1") @include(if: $c) { sequence } }',
      ],
      [
        'with a condition around its root field',
        'subscription { ... @skip(if: true) { trainingProgress(runId: "run_1") { sequence } } }',
      ],
      ['that is a mutation', 'mutation { revokeApiKey(input: { apiKeyId: "key_1" }) { userErrors { code } } }'],
      ['that is no GraphQL', 'subscription {'],
      [
        'that is too deep',
        `subscription { trainingProgress(runId: "run_1") { run { ${'model { runs { edges { node { '.repeat(6)} id ${'} } } } '.repeat(6)} } } }`,
      ],
      ['without a variable that it needs', PROGRESS],
    ])('an operation %s is refused before anything is subscribed', async ([, query]) => {
      const subscribed = await start(query, {});
      expect(await refusalOf(subscribed)).toMatch(
        /"code":"(GRAPHQL_VALIDATION_FAILED|GRAPHQL_PARSE_FAILED|BAD_REQUEST|BAD_USER_INPUT)"/,
      );
      expect(graph.world.openStreams).toBe(0);
    });

    test('many clients each get every event', async () => {
      const clients = await Promise.all(
        Array.from({ length: 20 }, () => start(PROGRESS, { runId: 'run_1', after: 2 })),
      );
      const firsts = clients.map((client) => client.next());
      await expect.poll(() => graph.world.openStreams, PATIENT).toBe(20);
      for (let sequence = 3; sequence < 8; sequence++) graph.world.bus.emit('event', sequence);
      for (const [index, client] of clients.entries()) {
        expect((await firsts[index])?.value).toEqual(resultOf(3));
        for (let sequence = 4; sequence < 8; sequence++)
          expect((await client.next()).value).toEqual(resultOf(sequence));
        await client.cancel();
      }
      await streamsClosed();
    });

    test('a client whose subgraph goes away is told to subscribe again', async () => {
      await using own = await startTestGraph();
      const authorization = `Bearer ${await own.signSession()}`;
      const subscribed = subscribe(own.gateway.url, { query: PROGRESS, variables: { runId: 'run_1' }, authorization });
      await subscribed.next();
      await subscribed.next();
      await own.subgraphs.model.drain();
      expect(codesOf((await subscribed.next()).value)).toEqual(['UNAVAILABLE']);
    });

    test('draining the gateway ends the connection, not the subscription', async () => {
      const own = await startTestGraph();
      const authorization = `Bearer ${await own.signSession()}`;
      const subscribed = subscribe(own.gateway.url, { query: PROGRESS, variables: { runId: 'run_1' }, authorization });
      await subscribed.next();
      await subscribed.next();
      const outcome = subscribed.next().then(
        () => 'completed',
        () => 'lost',
      );
      await own.gateway.drain();
      expect(await Promise.race([outcome, wait(3_000, 'neither')])).toBe('lost');
      await expect.poll(() => own.world.openStreams, PATIENT).toBe(0);
      await own[Symbol.asyncDispose]();
    });
  });
}

describeTransport('graphql-ws', overSockets);
describeTransport('SSE', overEventStreams);
describeTransport('one SSE stream for all', overOneEventStream);

test('a socket drained by the gateway closes with 1001', async () => {
  const own = await startTestGraph();
  const closed = Promise.withResolvers<number>();
  const client = createClient({
    url: `${own.gateway.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: 0,
    onNonLazyError: () => {},
    on: {
      connected: () => void own.gateway.drain(),
      closed: (event) => closed.resolve((event as { code: number }).code),
    },
  });
  expect(await closed.promise).toBe(1001);
  await client.dispose();
  await own[Symbol.asyncDispose]();
});

const openSocket = async (path: string, options: { origin?: string; protocol?: string } = {}) => {
  const url = `${graph.gateway.url.replace('http', 'ws')}${path}`;
  const socket = new WebSocket(
    url,
    options.protocol ?? 'graphql-transport-ws',
    options.origin === undefined ? {} : { origin: options.origin },
  );
  return await new Promise<string>((resolve) => {
    socket.once('open', () => {
      resolve('open');
      socket.close();
    });
    socket.once('error', (error) => resolve(error.message));
  });
};

test('a page of another origin cannot open a socket, one of an allowed origin can', async () => {
  expect(await openSocket('/graphql', { origin: 'http://evil.test' })).toContain('403');
  expect(await openSocket('/graphql', { origin: ALLOWED_ORIGIN })).toBe('open');
  expect(await openSocket('/graphql')).toBe('open');
});

test('sockets are at /graphql only', async () => {
  expect(await openSocket('/other')).toContain('404');
});

test('a socket that never says who it is is closed after 5 seconds', { timeout: 10_000 }, async () => {
  const socket = new WebSocket(`${graph.gateway.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const code = await new Promise<number>((resolve) => socket.once('close', resolve));
  expect(code).toBe(4408);
});

test('a stream of a client that does not accept event streams is refused', async () => {
  const headers = { accept: 'application/json', authorization: `Bearer ${await graph.signSession()}` };
  expect((await post(graph.gateway.url, PROGRESS, { headers, path: '/graphql/stream' })).status).toBe(400);
});

test('a client that does not read holds back its own events only, and loses none', { timeout: 60_000 }, async () => {
  await using own = await startTestGraph();
  own.world.keepsEvents = true;
  const authorization = `Bearer ${await own.signSession()}`;
  const variables = { runId: 'run_1', after: 2 };
  const body = JSON.stringify({ query: PROGRESS, variables });
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream', authorization };
  const stuck = await fetch(`${own.gateway.url}/graphql/stream`, { method: 'POST', headers, body });
  const reader = overSockets(own.gateway.url, { query: PROGRESS, variables, authorization });
  const first = reader.next();
  await expect.poll(() => own.world.openStreams, PATIENT).toBe(2);
  const sequences = Array.from({ length: 300 }, (_, index) => index + 3);
  // 30 MB, far more than the buffers of the sockets on the way hold.
  own.world.messageChars = 100_000;
  for (const sequence of sequences) own.world.emitEvent(sequence);
  await first;
  for (let count = 1; count < sequences.length; count++) await reader.next();
  await reader.cancel();
  own.world.messageChars = 0;
  const completedCount = own.world.calls.filter(({ field }) => field === 'Tenant').length;
  expect(completedCount).toBeLessThan(2 * sequences.length);
  expect(await readSequences(stuck, sequences.length)).toEqual(sequences);
  await expect.poll(() => own.world.openStreams, PATIENT).toBe(0);
});

async function readSequences(response: Response, count: number): Promise<number[]> {
  const sequences: number[] = [];
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    const lines = (text + decoder.decode(chunk, { stream: true })).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines)
      sequences.push(...[...line.matchAll(/"sequence":(\d+)/g)].map((match) => Number(match[1])));
    if (sequences.length >= count) break;
  }
  return sequences;
}
