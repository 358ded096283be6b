import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { EarlyRefusals } from './early-refusals.ts';
import { createLoadLimit } from './load-limit.ts';
import { shedLoad } from './shed-load.ts';
import { REFUSALS } from './test-refusals.ts';

const PAGE = 'https://app.example.test';
const BODY = '{"query":"{ viewer }"}';

const request = (body = BODY, headers = '') =>
  `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;

/** A server with nothing to spare, or enough, and one connection to it. What is parsed is counted. */
async function connectTest() {
  let isFull = true;
  let parsed = 0;
  const bodies: string[] = [];
  const requests: WeakRef<IncomingMessage>[] = [];
  const early = new EarlyRefusals(REFUSALS, [PAGE]);
  early.setFull(isFull);
  const refreshing = setInterval(() => early.refresh(), 5);
  const serve = shedLoad(
    (req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.once('end', () => {
        bodies.push(Buffer.concat(chunks).toString());
        res.end('served');
      });
    },
    {
      limit: { ...createLoadLimit(), begin: () => !isFull },
      early,
      allowedOrigins: [PAGE],
    },
  );
  const server = createServer((req, res) => {
    parsed += 1;
    requests.push(new WeakRef(req));
    serve(req, res);
  });
  server.keepAliveTimeout = 65_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  const setFull = (value: boolean) => {
    isFull = value;
    early.setFull(value);
  };
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  /** What is answered by then to bytes that are sent with pauses in between. */
  const tell = async (...parts: string[]): Promise<string> => {
    received = '';
    for (const part of parts) {
      socket.write(part);
      await sleep(50);
    }
    return received;
  };
  /** Waits for an answer, however long the sanitized addon takes. */
  const ask = async (...parts: string[]): Promise<string> => {
    if ((await tell(...parts)) !== '') return received;
    await once(socket, 'data');
    return received;
  };
  return {
    ask,
    tell,
    bodies,
    requests,
    countParsed: () => parsed,
    early,
    makeRoom: () => setFull(false),
    fill: () => setFull(true),
    [Symbol.asyncDispose]: async () => {
      clearInterval(refreshing);
      socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

/** Has two requests refused by the parser, after which the connection is looked at. */
async function begin({ ask, countParsed }: Awaited<ReturnType<typeof connectTest>>): Promise<void> {
  await ask(request());
  await ask(request());
  expect(countParsed()).toBe(2);
}

const withoutTimes = (answer: string) =>
  answer
    .toLowerCase()
    .replace(/date: .*\r\n/, '')
    .replace(/retry-after: \d\r\n/, 'retry-after: N\r\n')
    .replace(/timeout=(55|65)\r\n/, 'timeout=N\r\n')
    .split('\r\n')
    .toSorted();

test('says the same with and without parsing, and tells pages of allowed origins alone', async () => {
  await using connection = await connectTest();
  for (const origin of [PAGE, 'https://evil.example.test', undefined]) {
    const bytes = request(BODY, origin === undefined ? '' : `Origin: ${origin}\r\n`);
    await using other = await connectTest();
    const parsed = await other.ask(bytes);
    if (connection.countParsed() === 0) await begin(connection);
    const early = await connection.ask(bytes);
    expect(other.countParsed()).toBe(1);
    expect(parsed).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n[^]*retry-after: [123]\r\n[^]*"code":"UNAVAILABLE"/);
    expect(parsed.includes(`access-control-allow-origin: ${PAGE}`)).toBe(origin === PAGE);
    expect(early).toMatch(/\r\ndate: \w{3}, /i);
    expect(withoutTimes(early)).toEqual(withoutTimes(parsed));
  }
  expect(connection.countParsed()).toBe(2);
});

test('serves over the same connection as soon as there is room, and refuses again', async () => {
  await using connection = await connectTest();
  const { ask, countParsed, makeRoom, fill, bodies } = connection;
  await begin(connection);
  await ask(request());
  makeRoom();
  expect(await ask(request())).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*served/);
  fill();
  expect(await ask(request())).toContain(' 503 ');
  expect(countParsed()).toBe(3);
  expect(bodies).toEqual([BODY]);
});

const half = BODY.slice(0, 5);

test.each([
  ['whose body comes later', [request().slice(0, -BODY.length), BODY]],
  ['whose head comes in parts', [request().slice(0, 30), request().slice(30)]],
  ['in chunks', [`POST /graphql HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\n${half}\r\n0\r\n\r\n`]],
  ['that wants a go-ahead first', [request(BODY, 'Expect: 100-continue\r\n')]],
  ['that is the last of its connection', [request(BODY, 'Connection: close\r\n')]],
  ['with something behind it', [`${request()}${request().slice(0, 20)}`, request().slice(20)]],
])('leaves a request %s to the parser', async (_form, parts) => {
  await using connection = await connectTest();
  await begin(connection);
  expect(await connection.ask(...parts)).toMatch(/HTTP\/1.1 503 /);
  expect(connection.countParsed()).toBeGreaterThan(2);
});

test.each([
  ['two lengths', request(BODY, 'content-length: 3\r\n')],
  ['a length that is none', request().replace(`${BODY.length}`, '+22')],
  ['a broken head', request(BODY, 'no header\r\n')],
])('leaves a request with %s to the parser, which refuses it for good', async (_fault, bytes) => {
  await using connection = await connectTest();
  await begin(connection);
  expect(await connection.ask(bytes)).toMatch(/^HTTP\/1.1 400 /);
});

test('takes no part of a body for a request', async () => {
  await using connection = await connectTest();
  const { ask, makeRoom, fill, bodies } = connection;
  await begin(connection);
  makeRoom();
  const smuggled = request('{}');
  const outer = request(`${half}${smuggled}`);
  const answer = ask(outer.slice(0, -smuggled.length), smuggled);
  await sleep(20);
  fill();
  expect(await answer).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*served$/);
  expect(bodies).toEqual([`${half}${smuggled}`]);
});

test('answers requests that do not wait for each other in their order', async () => {
  await using connection = await connectTest();
  const { ask, makeRoom, fill, bodies } = connection;
  await begin(connection);
  makeRoom();
  const answer = ask(request().slice(0, -1), `}${request('{"second":1}')}`);
  expect((await answer).match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
  fill();
  expect(await ask(request())).toContain(' 503 ');
  expect(bodies).toEqual([BODY, '{"second":1}']);
});

test('is not led to believe that a request is whole which goes on where another stopped', async () => {
  await using connection = await connectTest();
  const { ask, makeRoom, bodies } = connection;
  const begun = 'POST /graphql HTTP/1.1\r\nhost: a\r\nx: ';
  await ask(`${request()}${begun}`);
  // The parser takes it for the rest of what began, which has other headers.
  expect(await ask(request('{"victim":1}'))).toContain(' 503 ');
  expect(await ask(request('{"victim":2}'))).toContain(' 503 ');
  expect(connection.countParsed()).toBe(3);
  makeRoom();
  expect(await ask(request('{"victim":3}'))).toMatch(/^HTTP\/1.1 200 OK/);
  expect(bodies).toEqual(['{"victim":3}']);
});

test.each([
  ['a body', ''],
  ['a body behind a whole request', request()],
])('takes nothing for a request while the parser waits for the rest of %s', async (_form, before) => {
  await using connection = await connectTest();
  const { ask, tell } = connection;
  const unfinished = request().replace(`${BODY.length}`, '500');
  const whole = request(unfinished);
  const missing = whole.length - unfinished.length;
  const head = request().slice(0, -BODY.length).replace(`${BODY.length}`, `${missing}`);
  expect(await ask(`${before}${head}`)).toContain(' 503 ');
  // For the parser its first part ends the body before, and its last one is a request that lacks most of its body.
  expect(await ask(whole)).toContain(' 503 ');
  expect(connection.countParsed()).toBe(before === '' ? 2 : 3);
  expect(await tell(request())).toBe('');
});

test('keeps nothing of a request that was answered', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  await using connection = await connectTest();
  await begin(connection);
  connection.makeRoom();
  expect(await connection.ask(request())).toContain(' 200 ');
  await sleep(0);
  collectGarbage();
  expect(connection.requests.map((kept) => kept.deref())).toEqual([undefined, undefined, undefined]);
});
