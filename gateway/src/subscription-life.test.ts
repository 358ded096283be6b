import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createClient } from 'graphql-ws';
import { expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { overEventStreams, overSockets } from './test-clients.ts';
import { startTestGraph, type TestGraph } from './test-graph.ts';

/** On a busy machine connections take seconds to close. */
const PATIENT = { timeout: 15_000 };
const PROGRESS = `subscription ($after: Int) {
  trainingProgress(runId: "run_1", afterSequence: $after) { sequence run { model { tenant { name } } } }
}`;

/** A client as the protocol's recipe has it: on 4403 it connects anew with a fresh credential. */
function connect(graph: TestGraph, authorization: () => Promise<string>) {
  const codes: number[] = [];
  const client = createClient({
    url: `${graph.gateway.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: async () => ({ authorization: `Bearer ${await authorization()}` }),
    on: { closed: (event) => codes.push((event as { code: number }).code) },
  });
  return { client, codes };
}

/** Follows a run to `last`, subscribing anew after the last sequence whenever the connection ends. */
async function follow(client: ReturnType<typeof createClient>, last: number): Promise<number[]> {
  const sequences: number[] = [];
  while (sequences.at(-1) !== last) {
    const results = client.iterate({ query: PROGRESS, variables: { after: sequences.at(-1) ?? 2 } });
    try {
      for await (const { data } of results) {
        sequences.push((data as { trainingProgress: { sequence: number } }).trainingProgress.sequence);
        if (sequences.at(-1) === last) break;
      }
    } catch {
      // The connection ended: the next one goes on behind what was seen.
    }
  }
  return sequences;
}

test('a socket whose session expires closes with 4403, and its client loses nothing', { timeout: 60_000 }, async () => {
  await using graph = await startTestGraph();
  graph.world.keepsEvents = true;
  const { client, codes } = connect(graph, () => graph.signSession({}, { expiresIn: '2s' }));
  const followed = follow(client, 60);
  for (let sequence = 3; sequence <= 60; sequence++) {
    graph.world.emitEvent(sequence);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(await followed).toEqual(Array.from({ length: 58 }, (_, index) => index + 3));
  expect(codes.filter((code) => code === 4403).length).toBeGreaterThanOrEqual(1);
  await client.dispose();
  await expect.poll(() => graph.world.openStreams, PATIENT).toBe(0);
});

test('a socket whose API key is revoked closes with 4403 within 10 seconds', { timeout: 30_000 }, async () => {
  await using graph = await startTestGraph();
  const apiKey = `ks_${'f1'.repeat(16)}`;
  graph.world.apiKeys.set(apiKey, 'SECRET');
  const { client, codes } = connect(graph, async () => apiKey);
  const results = client.iterate({ query: PROGRESS, variables: { after: 0 } });
  await results.next();
  graph.world.apiKeys.delete(apiKey);
  const startedAt = performance.now();
  await results.next();
  await expect(results.next()).rejects.toMatchObject({ code: 4403 });
  expect(performance.now() - startedAt).toBeLessThan(12_000);
  expect(codes).toEqual([4403]);
  await expect.poll(() => graph.world.openStreams, PATIENT).toBe(0);
});

test('a stream whose session expires ends with UNAUTHENTICATED', async () => {
  await using graph = await startTestGraph();
  const authorization = `Bearer ${await graph.signSession({}, { expiresIn: '2s' })}`;
  const subscribed = overEventStreams(graph.gateway.url, { query: PROGRESS, variables: { after: 1 }, authorization });
  await subscribed.next();
  expect(JSON.stringify((await subscribed.next()).value)).toContain('UNAUTHENTICATED');
  await expect.poll(() => graph.world.openStreams, PATIENT).toBe(0);
});

test('a stream that is refused takes no place', async () => {
  await using graph = await startTestGraph({ maxConnectionsPerTenant: 1 });
  const authorization = `Bearer ${await graph.signSession()}`;
  const headers = { authorization, 'content-type': 'application/json', accept: 'text/event-stream' };
  for (let time = 0; time < 2; time++) {
    const refused = await fetch(`${graph.gateway.url}/graphql/stream`, {
      method: 'POST',
      headers,
      body: '{"query":7}',
    });
    expect(refused.status).toBe(400);
  }
  const next = overEventStreams(graph.gateway.url, { query: PROGRESS, variables: { after: 1 }, authorization });
  expect((await next.next()).value).toMatchObject({ data: expect.anything() });
  await next.cancel();
});

test('a tenant has so many connections, sockets and streams together; one that closes makes room', async () => {
  await using graph = await startTestGraph({ maxConnectionsPerTenant: 1 });
  const authorization = `Bearer ${await graph.signSession()}`;
  const options = { query: PROGRESS, variables: { after: 1 }, authorization };
  const first = overSockets(graph.gateway.url, options);
  await first.next();
  await expect(overSockets(graph.gateway.url, options).next()).rejects.toMatchObject({ code: 1013 });
  await expect(overEventStreams(graph.gateway.url, options).next()).rejects.toBeDefined();
  await first.cancel();
  await vi.waitFor(async () => {
    const next = overEventStreams(graph.gateway.url, options);
    expect((await next.next()).value).toMatchObject({ data: expect.anything() });
    await next.cancel();
  });
});

test('4,000 subscriptions that come and go leave nothing open and next to nothing in memory', {
  timeout: 600_000,
}, async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  await using graph = await startTestGraph();
  const token = await graph.signSession();
  const { client } = connect(graph, async () => token);
  const cycle = async () => {
    const results = client.iterate({ query: PROGRESS, variables: { after: 1 } });
    await results.next();
    await results.return?.();
  };
  const run = async (count: number) => {
    const workers = Array.from({ length: 20 }, async () => {
      for (let index = 0; index < count / 20; index++) await cycle();
    });
    await Promise.all(workers);
    await expect.poll(() => graph.world.openStreams, PATIENT).toBe(0);
    graph.world.calls.length = 0;
    graph.lines.length = 0;
    // What finalizers and compiled code let go of is garbage only in a later collection.
    for (let collection = 0; collection < 8; collection++) {
      collectGarbage();
      await nextTurn();
    }
    return process.memoryUsage().heapUsed;
  };
  // Enough for every cache and compiled function to be there.
  await run(1_000);
  const before = await run(200);
  const after = await run(4_000);
  const metrics = await (await fetch(`${graph.gateway.url}/metrics`)).text();
  expect(metrics).toContain('kindred_gateway_subscriptions_open{service="gateway"} 0');
  expect((after - before) / 2 ** 20).toBeLessThan(2);
  await client.dispose();
});
