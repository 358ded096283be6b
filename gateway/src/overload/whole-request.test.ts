import { expect, test } from 'vitest';
import { WholeRequestReader } from './whole-request.ts';

const PAGE = 'https://app.example.test';

function requestOf(length: string | number, body: string, origin = PAGE): Buffer {
  const head = `POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nContent-Length: ${length}\r\norigin: ${origin}\r\n\r\n`;
  return Buffer.from(`${head}${body}`);
}

const bodyOf = (length: number) => 'x'.repeat(length);

/** What a reader says of requests one after the other: whether each is whole. */
function areWhole(...requests: Buffer[]): boolean[] {
  const reader = new WholeRequestReader();
  return requests.map((request) => reader.read(request) !== undefined);
}

test('requests are whole whose heads differ in nothing but the length, whatever its digits', () => {
  const lengths = [10, 99, 5, 1_234, 0, 100];
  expect(areWhole(...lengths.map((length) => requestOf(length, bodyOf(length))))).toEqual(lengths.map(() => true));
});

test.each([
  ['less than its length says', requestOf(10, bodyOf(9))],
  ['more than its length says', requestOf(10, bodyOf(11))],
  ['nothing but a beginning', requestOf(10, bodyOf(10)).subarray(0, 40)],
  ['nothing at all', Buffer.alloc(0)],
  ['no length', requestOf('', bodyOf(10))],
  ['a length that goes on behind its digits', requestOf('10a', bodyOf(10))],
  ['a length below zero', requestOf('-1', bodyOf(1))],
  ['a length of ten digits', requestOf('0000000010', bodyOf(10))],
  ['another head that cannot be known', requestOf(10, bodyOf(10), 'a\r\ntransfer-encoding: chunked')],
  ['another method', Buffer.from(requestOf(10, bodyOf(10)).toString().replace('POST', 'PUTS'))],
])('after one that was, a request is not whole that has %s', (_fault, request) => {
  const known = requestOf(10, bodyOf(10));
  expect(areWhole(known, request, known)).toEqual([true, false, true]);
});

test('another head is read, for all that its length is the same', () => {
  const reader = new WholeRequestReader();
  expect(reader.read(requestOf(10, bodyOf(10)))?.origin).toBe(PAGE);
  const other = 'https://evil.example.te';
  expect(other).toHaveLength(PAGE.length - 1);
  expect(reader.read(requestOf(10, bodyOf(10), `${other}s`))?.origin).toBe(`${other}s`);
  expect(reader.read(requestOf(7, bodyOf(7)))?.origin).toBe(PAGE);
});

test('a head that differs in nothing but the length is not read again', () => {
  const reader = new WholeRequestReader();
  const known = reader.read(requestOf(10, bodyOf(10)));
  expect(known).toEqual({ origin: PAGE, headerCount: 3 });
  expect(reader.read(requestOf(110, bodyOf(110)))).toBe(known);
});
