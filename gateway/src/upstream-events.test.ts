import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError } from '@kindred/domain/app-error';
import { Pool } from 'undici';
import { expect, test } from 'vitest';
import type { StreamEvent } from './event-stream-reader.ts';
import { UpstreamEvents } from './upstream-events.ts';

const EVENT_STREAM = { 'content-type': 'text/event-stream; charset=utf-8' };
const eventOf = (number: number, filling = '') =>
  `event: next\ndata: ${JSON.stringify({ data: { number, filling } })}\n\n`;
const COMPLETE = 'event: complete\ndata:\n\n';

/** A subgraph that answers a subscription as told, and the subscription. */
async function subscribe(answer: (res: ServerResponse) => unknown, signal = new AbortController().signal) {
  let answering: ServerResponse | undefined;
  const server = createServer((_req, res) => {
    answering = res;
    void answer(res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const failureOf = (cause: unknown) => new AppError('UNAVAILABLE', 'Not reached.', { cause });
  let asked = Promise.withResolvers<unknown>();
  const listener = {
    onEvent: ({ data }: StreamEvent) => asked.resolve(data?.number),
    onEnd: (failure: Error | undefined) => (failure === undefined ? asked.resolve('the end') : asked.reject(failure)),
  };
  const events = new UpstreamEvents({ name: 'model', signal, failureOf, listener });
  pool.dispatch({ method: 'POST', path: '/graphql/stream', body: '{}' }, events);
  return {
    take: () => {
      asked = Promise.withResolvers();
      events.ask();
      return asked.promise;
    },
    response: () => answering,
    [Symbol.asyncDispose]: async () => {
      await pool.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}

test('results come in order, those before the end too, and then nothing', async () => {
  await using subscribed = await subscribe((res) =>
    res.writeHead(200, EVENT_STREAM).end(eventOf(1) + eventOf(2) + COMPLETE),
  );
  expect(await subscribed.take()).toBe(1);
  expect(await subscribed.take()).toBe(2);
  expect(await subscribed.take()).toBe('the end');
});

test('a stream that ends without "complete" was interrupted, after what it told', async () => {
  await using subscribed = await subscribe((res) => res.writeHead(200, EVENT_STREAM).end(eventOf(1)));
  expect(await subscribed.take()).toBe(1);
  await expect(subscribed.take()).rejects.toMatchObject({ code: 'UNAVAILABLE', message: /interrupted/ });
});

test('a stream that breaks off was interrupted', async () => {
  await using subscribed = await subscribe((res) => res.writeHead(200, EVENT_STREAM).write(eventOf(1)));
  expect(await subscribed.take()).toBe(1);
  subscribed.response()?.destroy();
  await expect(subscribed.take()).rejects.toMatchObject({ code: 'UNAVAILABLE', message: /interrupted/ });
});

test('a connection that never came about fails as told', async () => {
  await using subscribed = await subscribe((res) => res.destroy());
  await expect(subscribed.take()).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'Not reached.' });
});

test('an answer that is no event stream is told with its text', async () => {
  await using subscribed = await subscribe((res) => res.writeHead(400).end('{"errors":[]}'));
  await expect(subscribed.take()).rejects.toThrow('The model subgraph answered 400 to a stream: {"errors":[]}');
});

test('a result that is no JSON ends the stream, here and at the subgraph', async () => {
  await using subscribed = await subscribe((res) => res.writeHead(200, EVENT_STREAM).write('event: next\ndata: {\n\n'));
  await expect(subscribed.take()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect.poll(() => subscribed.response()?.closed).toBe(true);
});

test('an abort ends the wait and the stream at the subgraph, also one that came first', async () => {
  const stop = new AbortController();
  await using subscribed = await subscribe((res) => res.writeHead(200, EVENT_STREAM).write(':\n\n'), stop.signal);
  const next = subscribed.take();
  await expect.poll(() => subscribed.response()).toBeDefined();
  stop.abort();
  await expect(next).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect.poll(() => subscribed.response()?.closed).toBe(true);

  await using late = await subscribe(() => {}, stop.signal);
  await expect(late.take()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('who takes nothing holds back the subgraph, and then gets all in order', async () => {
  const count = 400;
  const filling = 'x'.repeat(64 * 1024);
  let written = 0;
  await using subscribed = await subscribe(async (res) => {
    res.writeHead(200, EVENT_STREAM);
    for (; written < count; written++) if (!res.write(eventOf(written, filling))) await once(res, 'drain');
    res.end(COMPLETE);
  });
  expect(await subscribed.take()).toBe(0);
  let before = -1;
  await expect.poll(() => written === before || ((before = written), false), { interval: 200 }).toBe(true);
  expect(written).toBeLessThan(count);
  for (let number = 1; number < count; number++) expect(await subscribed.take()).toBe(number);
  expect(await subscribed.take()).toBe('the end');
});
