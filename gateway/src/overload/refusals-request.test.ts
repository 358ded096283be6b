import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { REFUSALS } from './test-refusals.ts';

const PAGE = 'https://app.example.test';
const BODY = '{"query":"{ viewer }"}';

const requestOf = (headers: string, body = BODY, line = 'POST /graphql HTTP/1.1') =>
  `${line}\r\nhost: 127.0.0.1\r\n${headers}\r\n${body}`;
const withLength = (length: string | number, body = BODY) => requestOf(`content-length: ${length}\r\n`, body);
const read = (request: string) => REFUSALS.readWholeRequest(Buffer.from(request, 'latin1'));
const LENGTH = `Content-Length: ${BODY.length}\r\n`;

test.each([
  ['one of a client that is no page', requestOf(LENGTH), { headerCount: 2, origin: '' }],
  ['one of a page', requestOf(`${LENGTH}ORIGIN:\t${PAGE} \r\n`), { headerCount: 3, origin: PAGE }],
  ['one without a body', withLength(0, ''), { headerCount: 2, origin: '' }],
  ['one with a query', requestOf(LENGTH, BODY, 'POST /graphql?a=%7B%7D HTTP/1.1'), { headerCount: 2, origin: '' }],
  ['one that keeps its connection', requestOf(`Connection: keep-alive\r\n${LENGTH}`), { headerCount: 3, origin: '' }],
  ['one with a header without a value', requestOf(`${LENGTH}x-none:\r\n`), { headerCount: 3, origin: '' }],
  ['one with text beyond ASCII', requestOf(`${LENGTH}x-name: é\r\n`), { headerCount: 3, origin: '' }],
])('reads a whole request: %s', (_form, request, expected) => {
  expect(read(request)).toEqual(expected);
});

test.each([
  ['less than its length says', withLength(BODY.length + 1)],
  ['more than its length says', withLength(BODY.length - 1)],
  ['nothing but a beginning', requestOf(LENGTH).slice(0, 40)],
  ['nothing at all', ''],
  ['no length', requestOf('x-a: 1\r\n', '')],
  ['an empty length', withLength('', '')],
  ['a length that goes on behind its digits', withLength('10a', 'x'.repeat(10))],
  ['two lengths in one', withLength('1, 1', 'x')],
  ['a length below zero', withLength('-1', 'x')],
  ['a length with a sign', withLength('+1', 'x')],
  ['a length of ten digits', withLength('0000000001', 'x')],
  ['two lengths', requestOf(`${LENGTH}${LENGTH}`)],
  ['chunks', requestOf(`${LENGTH}transfer-encoding: chunked\r\n`)],
  ['a go-ahead to wait for', requestOf(`${LENGTH}Expect: 100-continue\r\n`)],
  ['another protocol', requestOf(`${LENGTH}Upgrade: websocket\r\n`)],
  ['a connection that it closes', requestOf(`${LENGTH}connection: close\r\n`)],
  ['a connection of two words', requestOf(`${LENGTH}connection: keep-alive, upgrade\r\n`)],
  ['a connection that a proxy closes', requestOf(`${LENGTH}proxy-connection: close\r\n`)],
  ['two origins', requestOf(`${LENGTH}origin: ${PAGE}\r\norigin: ${PAGE}\r\n`)],
  ['an empty origin', requestOf(`${LENGTH}origin: \r\n`)],
  ['a space before a colon', requestOf(`${LENGTH}x-a : 1\r\n`)],
  ['a header that goes on in a second line', requestOf(`${LENGTH}x-a: 1\r\n 2\r\n`)],
  ['a header without a colon', requestOf(`${LENGTH}x-a\r\n`)],
  ['a header without a name', requestOf(`${LENGTH}: 1\r\n`)],
  ['a line that ends without a carriage return', requestOf(`${LENGTH}x-a: 1\n`)],
  ['a carriage return within a line', requestOf(`${LENGTH}x-a: 1\r2\r\n`)],
  ['a null character', requestOf(`${LENGTH}x-a: \0\r\n`)],
  ['another method', requestOf(LENGTH, BODY, 'PUT /graphql HTTP/1.1')],
  ['another path', requestOf(LENGTH, BODY, 'POST /graphql/stream HTTP/1.1')],
  ['another version', requestOf(LENGTH, BODY, 'POST /graphql HTTP/1.0')],
  ['a space in its path', requestOf(LENGTH, BODY, 'POST /graphql?a b HTTP/1.1')],
  ['an empty line before it', `\r\n${requestOf(LENGTH)}`],
  ['a head of more than 8 KiB', requestOf(`${LENGTH}x-a: ${'x'.repeat(8_192)}\r\n`)],
])('leaves to the parser a request with %s', (_fault, request) => {
  expect(read(request)).toBeUndefined();
});

/** Every request that differs from one in a character that is put in, put in the place of another, or missing. */
function* changesOf(request: string): Generator<string> {
  const characters = [
    '\0',
    '\t',
    '\n',
    '\r',
    ' ',
    '"',
    ',',
    ':',
    ';',
    '\\',
    'x',
    '0',
    '\x7f',
    '\x80',
    '\r\n',
    '\r\n\r\n',
  ];
  for (let at = 0; at < request.length; at++) {
    const [before, after] = [request.slice(0, at), request.slice(at + 1)];
    yield before + after;
    for (const character of characters) {
      yield before + character + request.slice(at);
      yield before + character + after;
    }
  }
}

/** What Node's parser makes of bytes that come over one connection after the other's. */
async function connectToNode() {
  const seen: { headerCount: number; body: string }[] = [];
  const server = createServer({ requireHostHeader: false }, (req, res) => {
    let body = '';
    req.setEncoding('latin1').on('data', (chunk: string) => (body += chunk));
    req.once('end', () => {
      seen.push({ headerCount: req.rawHeaders.length / 2, body });
      res.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  return {
    ask: async (request: string) => {
      seen.length = 0;
      socket.write(request, 'latin1');
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return { status: answer.toString().split(' ', 2)[1], seen: [...seen] };
    },
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

test('what it takes for a whole request is exactly one for the parser, whatever character is changed', async () => {
  await using node = await connectToNode();
  const original = requestOf(`connection: keep-alive\r\norigin: ${PAGE}\r\n${LENGTH}`);
  const taken = [...new Set(changesOf(original))].flatMap((request) => {
    const whole = read(request);
    return whole === undefined ? [] : [{ request, whole }];
  });
  expect(taken.length).toBeGreaterThan(500);
  for (const { request, whole } of taken) {
    const body = request.slice(request.indexOf('\r\n\r\n') + 4);
    const expected = { status: '200', seen: [{ headerCount: whole.headerCount, body }] };
    expect(await node.ask(request), JSON.stringify(request)).toEqual(expected);
  }
});
