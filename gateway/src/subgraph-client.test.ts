import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newId } from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { TIMEOUT_HEADER } from '@kindred/service/request-deadline';
import { expect, test } from 'vitest';
import { createSubgraphClient } from './subgraph-client.ts';

const VIEWER: Viewer = { kind: 'apiKey', apiKeyId: newId('ApiKey'), tenantId: newId('Tenant'), scopes: [] };
const CALL = { name: 'catalog', body: '{}', repeatable: true } as const;

/** A client before one subgraph that answers as told. */
async function startSubgraph(answer: (req: IncomingMessage, res: ServerResponse) => void) {
  const requests: IncomingMessage[] = [];
  const server = createServer((req, res) => {
    // Without channels, as a subgraph of another make.
    if (req.method === 'GET') {
      res.writeHead(404).end();
      return;
    }
    requests.push(req);
    req.resume();
    answer(req, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createSubgraphClient({
    subgraphUrls: { tenant: url, catalog: url, model: url, recommendation: url },
    internalTokenSecret: 'a secret of the tests, long enough to be one',
  });
  const send = (call: object = {}, signal = new AbortController().signal) =>
    client.send({ ...CALL, ...call }, { viewer: VIEWER, traceId: '0', signal, deadlineAt: performance.now() + 5_000 });
  return {
    client,
    requests,
    send,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

const DATA = '{"data":{}}';

test('a query whose connection is lost is sent once more', async () => {
  let calls = 0;
  await using subgraph = await startSubgraph((req, res) => {
    if (++calls === 1) req.socket.destroy();
    else res.end(DATA);
  });
  expect(await subgraph.send()).toEqual({ statusCode: 200, text: DATA });
  expect(subgraph.requests).toHaveLength(2);
});

test('a mutation whose connection is lost is not sent again: it may have had its effect', async () => {
  await using subgraph = await startSubgraph((req) => req.socket.destroy());
  await expect(subgraph.send({ repeatable: false })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(subgraph.requests).toHaveLength(1);
});

test('a subgraph is told how long its caller still waits', async () => {
  await using subgraph = await startSubgraph((_req, res) => res.end(DATA));
  await subgraph.send();
  const timeoutMs = Number(subgraph.requests[0]?.headers[TIMEOUT_HEADER]);
  expect(timeoutMs).toBeGreaterThan(3_000);
  expect(timeoutMs).toBeLessThanOrEqual(5_000);
});

test('a caller that goes away ends its request at the subgraph', async () => {
  const closed = Promise.withResolvers<void>();
  await using subgraph = await startSubgraph((_req, res) => void res.once('close', closed.resolve));
  const caller = new AbortController();
  const answer = subgraph.send({}, caller.signal);
  await expect.poll(() => subgraph.requests.length).toBe(1);
  caller.abort();
  await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await closed.promise;
  expect(subgraph.requests).toHaveLength(1);
});

test('a subgraph that keeps failing is spared, retries included, and is asked again when it answers', async () => {
  let works = false;
  await using subgraph = await startSubgraph((req, res) => (works ? res.end(DATA) : void req.socket.destroy()));
  for (let call = 0; call < 40; call++) await subgraph.send().catch(() => undefined);
  expect(subgraph.client.openCircuitCount()).toBe(1);
  expect(subgraph.requests.length).toBeLessThanOrEqual(25);
  works = true;
  await expect
    .poll(
      () =>
        subgraph.send().then(
          ({ text }) => text,
          () => '',
        ),
      { timeout: 5_000 },
    )
    .toBe(DATA);
  expect(subgraph.client.openCircuitCount()).toBe(0);
});

test('answers of a proxy that its subgraph is away count as failures', async () => {
  await using subgraph = await startSubgraph((_req, res) => res.writeHead(503).end('{"errors":[]}'));
  for (let call = 0; call < 20; call++) await subgraph.send();
  expect(subgraph.client.openCircuitCount()).toBe(1);
});

test('a subgraph that there is not is refused by its name, and nothing is sent', async () => {
  await using subgraph = await startSubgraph((_req, res) => res.end(DATA));
  await expect(subgraph.send({ name: 'toString' })).rejects.toThrow(/Wanted a subgraph of .*, got "toString"/);
  expect(subgraph.requests).toHaveLength(0);
});
