import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { descriptorOf } from './early-refusals.ts';
import { REFUSALS } from './test-refusals.ts';

const BODY = '{"query":"{ viewer }"}';
const REQUEST = `POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
/** More than the system takes at once. */
const LONG = `${'x'.repeat(16_000_000)}.`;

interface WatchOptions {
  answers?: readonly string[];
  passEveryMs?: number;
  /** Whether the server leaves its answers to the test. */
  holds?: boolean;
}

/** A full gateway that says `parsed` to whatever Node parses, and a connection to it that is watched and known. */
async function watchTest({ answers = ['refused'], passEveryMs = 60_000, holds = false }: WatchOptions = {}) {
  const native = new REFUSALS.Refusals(passEveryMs);
  native.setFull(true);
  const held: ServerResponse[] = [];
  const sockets: Socket[] = [];
  const connections = new WeakMap<Socket, ReturnType<typeof native.open>>();
  let isHolding = false;
  const server = createServer(({ socket, rawHeaders }, res) => {
    sockets.push(socket);
    const connection = connections.get(socket) ?? native.open();
    connections.set(socket, connection);
    connection.beginRequest(rawHeaders.length / 2);
    res.once('close', () => {
      connection.endRequest();
      const descriptor = descriptorOf(socket);
      if (descriptor !== undefined) setImmediate(() => native.watch([connection], [descriptor]));
    });
    if (isHolding) held.push(res);
    else res.end('parsed');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const open = async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay(true);
    await once(socket, 'connect');
    return socket;
  };
  const socket = await open();
  /** What is answered to a request, without its head. */
  const ask = async (from = socket) => {
    from.write(REQUEST);
    const [answer] = (await once(from, 'data')) as [Buffer];
    return answer.toString().replace(/^HTTP[^]*\r\n\r\n/, '');
  };
  for (const expected of ['parsed', 'parsed']) expect(await ask()).toBe(expected);
  native.setAnswers(
    '',
    answers.map((answer) => Buffer.from(answer)),
  );
  isHolding = holds;
  return {
    native,
    socket,
    ask,
    open,
    held,
    serverSocket: () => sockets.at(-1),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

test('answers one after the other, and counts them', async () => {
  await using watched = await watchTest({ answers: ['one', 'two', 'three'] });
  for (const expected of ['one', 'two', 'three', 'one']) expect(await watched.ask()).toBe(expected);
  expect(watched.native.refused).toBe(4);
});

test('refuses nothing while it has no answer, or the gateway is not full', async () => {
  await using watched = await watchTest({ answers: [] });
  expect(await watched.ask()).toBe('parsed');
  watched.native.setAnswers('', [Buffer.from('refused')]);
  expect(await watched.ask()).toBe('refused');
  watched.native.setFull(false);
  expect(await watched.ask()).toBe('parsed');
});

test('counts a connection once, however much comes over it', async () => {
  await using watched = await watchTest();
  const { native, ask } = watched;
  native.takeAsked();
  for (const _ of [1, 2, 3]) expect(await ask()).toBe('refused');
  expect(native.takeAsked()).toBe(1);
  expect(native.takeAsked()).toBe(0);
  native.setFull(false);
  expect(await ask()).toBe('parsed');
  expect(native.takeAsked()).toBe(1);
});

test('lets Node see something now and then, which else takes the connection for idle', async () => {
  await using watched = await watchTest({ passEveryMs: 100 });
  const answers: string[] = [];
  for (let at = 0; at < 40; at++) {
    answers.push(await watched.ask());
    await sleep(10);
  }
  expect(answers.filter((answer) => answer === 'parsed').length).toBeGreaterThan(1);
  expect(answers.filter((answer) => answer === 'refused').length).toBeGreaterThan(20);
});

test('looks at nothing more once Node begins to read anew, until it is told to', async () => {
  await using watched = await watchTest();
  const { ask, serverSocket } = watched;
  expect(await ask()).toBe('refused');
  serverSocket()?.pause();
  await sleep(20);
  serverSocket()?.resume();
  const answers = [await ask(), await ask(), await ask()];
  expect(answers).toEqual(['parsed', 'parsed', 'refused']);
});

test('does not overtake a request that is under way', async () => {
  await using watched = await watchTest({ holds: true });
  const { native, socket, held } = watched;
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  native.setFull(false);
  socket.write(REQUEST);
  await sleep(50);
  native.setFull(true);
  socket.write(REQUEST);
  await sleep(50);
  expect(native.refused).toBe(0);
  expect(received).toBe('');
  for (const number of ['first', 'second']) {
    held.shift()?.end(number);
    await sleep(50);
  }
  expect(received).toMatch(/^HTTP[^]*first[^]*HTTP[^]*second$/);
});

test('writes the rest of an answer once its reader is ready, and what is asked meanwhile is answered behind it', async () => {
  await using watched = await watchTest({ answers: [LONG] });
  const { native, socket } = watched;
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.pause();
  socket.write(REQUEST);
  await sleep(50);
  socket.write(REQUEST);
  await sleep(50);
  expect(native.refused).toBe(1);
  socket.resume();
  await expect.poll(() => received.length, { timeout: 10_000 }).toBeGreaterThan(LONG.length);
  await sleep(50);
  expect(received.startsWith(`${LONG}HTTP/1.1 200 OK`)).toBe(true);
  expect(received.endsWith('parsed')).toBe(true);
});

test('a connection that ends while it is refused is closed, and the next one is none that is known', async () => {
  await using watched = await watchTest({ answers: [LONG] });
  const { native, socket, ask, open, serverSocket } = watched;
  socket.pause();
  socket.write(REQUEST);
  await expect.poll(() => native.refused).toBe(1);
  const gone = serverSocket();
  expect(gone?.destroyed).toBe(false);
  socket.destroy();
  await expect.poll(() => gone?.destroyed).toBe(true);
  native.setAnswers('', [Buffer.from('refused')]);
  const next = await open();
  const answers = [await ask(next), await ask(next), await ask(next)];
  expect(answers).toEqual(['parsed', 'parsed', 'refused']);
});
