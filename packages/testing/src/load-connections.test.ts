import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { LoadConnections } from './load-connections.ts';

async function startServer(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const REQUEST = { path: '/graphql', headers: { 'content-type': 'text/plain' } };

test('every question gets its own answer, however many bytes and packets it takes', async () => {
  using server = await startServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const text = `é${Buffer.concat(chunks).toString('utf8')}`.repeat(20_000);
      res.writeHead(203, { 'content-length': Buffer.byteLength(text) });
      res.write(text.slice(0, 5));
      setImmediate(() => res.end(text.slice(5)));
    });
  });
  const connections = new LoadConnections(server.origin, { connections: 3 });
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, index) => connections.post({ ...REQUEST, body: `ü${index}` })),
  );
  for (const [index, { statusCode, text }] of answers.entries()) {
    expect(statusCode).toBe(203);
    expect(text === `éü${index}`.repeat(20_000)).toBe(true);
  }
  connections.close();
});

test('a connection that ends fails its question alone, and those that wait get another one', async () => {
  let count = 0;
  using server = await startServer((req, res) => {
    if (++count === 1) req.socket.destroy();
    else res.end('answered');
  });
  const connections = new LoadConnections(server.origin, { connections: 1 });
  const [lost, answered] = await Promise.allSettled([
    connections.post({ ...REQUEST, body: '1' }),
    connections.post({ ...REQUEST, body: '2' }),
  ]);
  expect(lost).toMatchObject({ status: 'rejected', reason: { message: 'The connection ended before the answer' } });
  expect(answered).toMatchObject({ status: 'fulfilled', value: { text: 'answered' } });
  connections.close();
});

test('those that wait are asked in the order in which they came, also where some come while others wait', async () => {
  const asked: string[] = [];
  using server = await startServer((req, res) => {
    req.setEncoding('utf8').once('data', (body: string) => {
      asked.push(body);
      res.end('answered');
    });
  });
  const connections = new LoadConnections(server.origin, { connections: 1 });
  const post = (body: string) => connections.post({ ...REQUEST, body });
  const early = ['1', '2', '3', '4'].map(post);
  await early[1];
  await Promise.all([...early, ...['5', '6', '7'].map(post)]);
  expect(asked).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  connections.close();
});

test('an answer that does not say its length is refused', async () => {
  using server = await startServer((_req, res) => void res.write('in parts'));
  const connections = new LoadConnections(server.origin, { connections: 1 });
  await expect(connections.post({ ...REQUEST, body: '' })).rejects.toThrow('Wanted an answer with a content-length');
  connections.close();
});

test('a connection that its server is about to end is not asked again', async () => {
  const clients = new Set<unknown>();
  using server = await startServer((req, res) => {
    clients.add(req.socket);
    res.setHeader('keep-alive', `timeout=${req.url === '/short' ? 1 : 65}`).end('answered');
  });
  const connections = new LoadConnections(server.origin, { connections: 1 });
  const ask = (path: string) => connections.post({ ...REQUEST, path, body: '' });
  await ask('/long');
  await ask('/short');
  expect(clients.size).toBe(1);
  await ask('/long');
  expect(clients.size).toBe(2);
  await ask('/long');
  expect(clients.size).toBe(2);
  connections.close();
});
