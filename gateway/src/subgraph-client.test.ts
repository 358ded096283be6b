import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { TIMEOUT_HEADER } from '@kindred/service/request-deadline';
import { expect, test } from 'vitest';
import { createSubgraphClient } from './subgraph-client.ts';
import { INTERNAL_SECRET } from './test-graph.ts';

async function headersOf(context: { deadlineAt?: number }): Promise<IncomingHttpHeaders> {
  const received: IncomingHttpHeaders[] = [];
  const server = createServer((req, res) => {
    received.push(req.headers);
    res.end('{"data":null}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`Wanted a port, got ${address}`);
  const url = `http://127.0.0.1:${address.port}`;
  const subgraphUrls = { tenant: url, catalog: url, model: url, recommendation: url };
  const client = createSubgraphClient({ subgraphUrls, internalTokenSecret: INTERNAL_SECRET });
  const viewer = { kind: 'anonymous' as const, scopes: [] };
  const signal = new AbortController().signal;
  await client.send('catalog', '{}', { viewer, traceId: '0'.repeat(32), signal, ...context });
  await client.close();
  server.close();
  return received[0] ?? {};
}

test('a subgraph is told how long its answer is waited for', async () => {
  const left = Number((await headersOf({ deadlineAt: performance.now() + 20_000 }))[TIMEOUT_HEADER]);
  expect(left).toBeGreaterThan(10_000);
  expect(left).toBeLessThanOrEqual(20_000);
  expect((await headersOf({ deadlineAt: performance.now() - 5 }))[TIMEOUT_HEADER]).toBe('0');
});

test('of what has no end no time is told', async () => {
  expect((await headersOf({}))[TIMEOUT_HEADER]).toBeUndefined();
});
