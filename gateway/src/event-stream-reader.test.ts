import { expect, test } from 'vitest';
import { readEventStream, type StreamEvent } from './event-stream-reader.ts';

async function read(...chunks: (string | Uint8Array)[]): Promise<{ events: StreamEvent[]; error?: unknown }> {
  async function* body() {
    for (const chunk of chunks) yield typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk;
  }
  const events: StreamEvent[] = [];
  try {
    for await (const event of readEventStream(body())) events.push(event);
    return { events };
  } catch (error) {
    return { events, error };
  }
}

const eventOf = (title: string) => `event: next\ndata: ${JSON.stringify({ data: { title } })}\n\n`;
const COMPLETE = 'event: complete\ndata:\n\n';

test('events come whole, however the bytes are cut, even within a character', async () => {
  const bytes = new TextEncoder().encode(`:\n\n${eventOf('Amélie')}${eventOf('七人の侍')}${COMPLETE}`);
  const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
  const wanted = { events: [{ data: { title: 'Amélie' } }, { data: { title: '七人の侍' } }] };
  expect(await read(bytes)).toEqual(wanted);
  expect(await read(...single)).toEqual(wanted);
});

test('lines may end with CRLF', async () => {
  expect(await read(`${eventOf('Brazil')}${COMPLETE}`.replaceAll('\n', '\r\n'))).toEqual({
    events: [{ data: { title: 'Brazil' } }],
  });
});

test('a stream that ends without "complete" was interrupted', async () => {
  expect(await read(eventOf('Alien'))).toEqual({
    events: [{ data: { title: 'Alien' } }],
    error: expect.objectContaining({ code: 'UNAVAILABLE' }),
  });
});

test('an event that never ends is cut off', async () => {
  const { error } = await read('event: next\ndata: ', 'x'.repeat(5 * 1024 * 1024));
  expect(error).toMatchObject({ code: 'UNAVAILABLE' });
});
