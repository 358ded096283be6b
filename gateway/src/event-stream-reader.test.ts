import { expect, test } from 'vitest';
import { EventStreamReader } from './event-stream-reader.ts';

function read(...chunks: Buffer[]) {
  const reader = new EventStreamReader();
  const events = chunks.flatMap((chunk) => reader.read(chunk));
  return { events, isComplete: reader.isComplete };
}

const eventOf = (title: string) => `event: next\ndata: ${JSON.stringify({ data: { title } })}\n\n`;
const COMPLETE = 'event: complete\ndata:\n\n';

test('events come whole, however the bytes are cut, even within a character', () => {
  const bytes = Buffer.from(`:\n\n${eventOf('Amélie')}${eventOf('七人の侍')}${COMPLETE}`);
  const single = Array.from(bytes, (byte) => Buffer.of(byte));
  const wanted = { events: [{ data: { title: 'Amélie' } }, { data: { title: '七人の侍' } }], isComplete: true };
  expect(read(bytes)).toEqual(wanted);
  expect(read(...single)).toEqual(wanted);
});

test('lines may end with CRLF', () => {
  expect(read(Buffer.from(`${eventOf('Brazil')}${COMPLETE}`.replaceAll('\n', '\r\n')))).toEqual({
    events: [{ data: { title: 'Brazil' } }],
    isComplete: true,
  });
});

test('data in several lines is one text, and needs no blank before it', () => {
  expect(read(Buffer.from('data:{"data":\ndata:{"title":"Ran"}}\nevent:next\n\n')).events).toEqual([
    { data: { title: 'Ran' } },
  ]);
});

test('what comes after "complete" does not count', () => {
  expect(read(Buffer.from(COMPLETE + eventOf('Alien')))).toEqual({ events: [], isComplete: true });
});

test('an event that never ends is refused', () => {
  const reader = new EventStreamReader();
  reader.read(Buffer.from('event: next\ndata: '));
  expect(() => reader.read(Buffer.alloc(5 * 1024 * 1024, 'x'))).toThrow('longer than');
});
