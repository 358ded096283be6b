import { newId } from '@kindred/domain/ids';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { overSockets } from './test-clients.ts';
import { ALLOWED_ORIGIN, startTestGraph, type TestGraph } from './test-graph.ts';

const PATIENT = { timeout: 10_000 };
const PROGRESS = `subscription ($after: Int) { trainingProgress(runId: "run_1", afterSequence: $after) {
  sequence message run { model { tenant { name } } } } }`;

let graph: TestGraph;
beforeAll(async () => {
  graph = await startTestGraph();
});
afterAll(async () => {
  await graph[Symbol.asyncDispose]();
});
beforeEach(() => {
  graph.world.messageChars = 0;
});

interface ChannelEvent {
  event: string;
  data: { id: string; payload?: { data?: { trainingProgress: { sequence: number } }; errors?: unknown[] } };
}

/** What a page does with `fetch` and an EventSource, which sends no headers. */
async function startPage(at: TestGraph, authorization: string) {
  const url = `${at.gateway.url}/graphql/stream`;
  const headers = { authorization, 'content-type': 'application/json' };
  const reserved = await fetch(url, { method: 'PUT', headers });
  const token = await reserved.text();
  const as = (own: Record<string, string>) => ({
    subscribe: (operationId: string, after = 0) =>
      fetch(`${url}?token=${token}`, {
        method: 'POST',
        headers: { ...headers, ...own },
        body: JSON.stringify({ query: PROGRESS, variables: { after }, extensions: { operationId } }),
      }),
    unsubscribe: (operationId: string) =>
      fetch(`${url}?token=${token}&operationId=${operationId}`, { method: 'DELETE', headers: { ...headers, ...own } }),
  });
  const gone = new AbortController();
  const opened: Response[] = [];
  const open = async () => {
    const response = await fetch(`${url}?token=${token}`, {
      headers: { accept: 'text/event-stream' },
      signal: gone.signal,
    });
    // The garbage collector closes a response that nobody holds.
    opened.push(response);
    return response;
  };
  return { status: reserved.status, opened, open, leave: () => gone.abort(), as, ...as({}) };
}

async function* readEvents(response: Response): AsyncGenerator<ChannelEvent> {
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      if (event !== undefined) yield { event, data: JSON.parse(data ?? '') as ChannelEvent['data'] };
    }
  }
}

const session = async (claims = {}, options = {}) => `Bearer ${await graph.signSession(claims, options)}`;
const sequenceOf = ({ value }: IteratorResult<ChannelEvent>) =>
  (value as ChannelEvent).data.payload?.data?.trainingProgress.sequence;

test('an EventSource gets the events of several subscriptions, each under its id, until they are stopped', async () => {
  const page = await startPage(graph, await session());
  expect(page.status).toBe(201);
  const response = await page.open();
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const events = readEvents(response);
  expect((await page.subscribe('a', 1)).status).toBe(202);
  expect((await events.next()).value).toEqual({
    event: 'next',
    data: {
      id: 'a',
      payload: {
        data: { trainingProgress: { sequence: 2, message: 'line 2', run: { model: { tenant: { name: 'Acme' } } } } },
      },
    },
  });
  expect((await page.subscribe('b', 1)).status).toBe(202);
  expect((await events.next()).value).toMatchObject({ data: { id: 'b' } });
  expect((await page.unsubscribe('a')).status).toBe(200);
  await expect.poll(() => graph.world.openStreams, PATIENT).toBe(1);
  graph.world.bus.emit('event', 3);
  expect((await events.next()).value).toMatchObject({ event: 'next', data: { id: 'b' } });
  graph.world.bus.emit('event', 'end');
  expect((await events.next()).value).toEqual({ event: 'complete', data: { id: 'b' } });
  page.leave();
});

test('a page that goes away takes its subscriptions with it, and its token is worth nothing then', async () => {
  const page = await startPage(graph, await session());
  const events = readEvents(await page.open());
  await page.subscribe('a', 1);
  await events.next();
  page.leave();
  await expect.poll(() => graph.world.openStreams, PATIENT).toBe(0);
  expect((await page.subscribe('b')).status).toBe(404);
});

test('a token opens one stream, and an id is used once at a time', async () => {
  const page = await startPage(graph, await session());
  await page.open();
  expect((await page.open()).status).toBe(409);
  await page.subscribe('a', 1);
  expect((await page.subscribe('a', 1)).status).toBe(409);
  expect((await page.subscribe('', 1)).status).toBe(400);
  page.leave();
  await expect.poll(() => graph.world.openStreams, PATIENT).toBe(0);
});

test('another tenant, another account and nobody subscribe to or stop nothing over a stream that is not theirs', async () => {
  const page = await startPage(graph, await session());
  const events = readEvents(await page.open());
  await page.subscribe('a', 1);
  await events.next();
  const others = [await session({ tenant: newId('Tenant') }), await session({ sub: newId('Account') })];
  for (const authorization of others) {
    expect((await page.as({ authorization }).subscribe('x', 1)).status).toBe(404);
    expect((await page.as({ authorization }).unsubscribe('a')).status).toBe(404);
  }
  expect((await page.as({ authorization: '' }).unsubscribe('a')).status).toBeGreaterThanOrEqual(400);
  expect(graph.world.openStreams).toBe(1);
  page.leave();
  await expect.poll(() => graph.world.openStreams, PATIENT).toBe(0);
});

test('a stream whose session expires tells every subscription and ends', async () => {
  const page = await startPage(graph, await session({}, { expiresIn: '2s' }));
  const events = readEvents(await page.open());
  await page.subscribe('a', 1);
  expect(sequenceOf(await events.next())).toBe(2);
  expect(JSON.stringify((await events.next()).value)).toContain('UNAUTHENTICATED');
  expect((await events.next()).value).toEqual({ event: 'complete', data: { id: 'a' } });
  expect((await events.next()).done).toBe(true);
  await expect.poll(() => graph.world.openStreams, PATIENT).toBe(0);
});

test('a stream carries at most 50 subscriptions, and a reserved one counts among the tenant’s connections', {
  timeout: 60_000,
}, async () => {
  await using own = await startTestGraph({ maxConnectionsPerTenant: 1 });
  const authorization = `Bearer ${await own.signSession()}`;
  const page = await startPage(own, authorization);
  expect((await startPage(own, authorization)).status).toBe(429);
  await page.open();
  const subscribed = await Promise.all(Array.from({ length: 50 }, (_, index) => page.subscribe(`s${index}`, 2)));
  expect(new Set(subscribed.map(({ status }) => status))).toEqual(new Set([202]));
  expect((await page.subscribe('more', 2)).status).toBe(429);
  page.leave();
});

test('a page that does not read holds back its own upstream, and then misses nothing', {
  timeout: 60_000,
}, async () => {
  const page = await startPage(graph, await session());
  const response = await page.open();
  await page.subscribe('a', 2);
  const reader = overSockets(graph.gateway.url, {
    query: PROGRESS,
    variables: { after: 2 },
    authorization: await session(),
  });
  const first = reader.next();
  await expect.poll(() => graph.world.openStreams, PATIENT).toBe(2);
  graph.world.calls.length = 0;
  // 30 MB, far more than the buffers of the sockets on the way hold.
  graph.world.messageChars = 100_000;
  const sequences = Array.from({ length: 300 }, (_, index) => index + 3);
  for (const sequence of sequences) graph.world.bus.emit('event', sequence);
  await first;
  for (let count = 1; count < sequences.length; count++) await reader.next();
  await reader.cancel();
  const completedCount = graph.world.calls.filter(({ field }) => field === 'Tenant').length;
  expect(completedCount).toBeLessThan(1.9 * sequences.length);
  const events = readEvents(response);
  for (const sequence of sequences) expect(sequenceOf(await events.next())).toBe(sequence);
  page.leave();
});

test('a page of an allowed origin may reserve, open and stop a stream', async () => {
  const asked = await fetch(`${graph.gateway.url}/graphql/stream`, {
    method: 'OPTIONS',
    headers: { origin: ALLOWED_ORIGIN },
  });
  expect(asked.headers.get('access-control-allow-methods')).toBe('GET, POST, PUT, DELETE');
  expect(asked.headers.get('access-control-allow-headers')).toContain('x-graphql-event-stream-token');
});
