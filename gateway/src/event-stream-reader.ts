import { AppError } from '@kindred/domain/app-error';
import type { GraphQLAnswer } from './subgraph-client.ts';

/** One result of a subscription. */
export type StreamEvent = GraphQLAnswer;

// A training event has about 500 bytes; a stream without line ends must not fill the memory.
const MAX_EVENT_CHARS = 4 * 1024 * 1024;

/**
 * The results in a stream of the graphql-sse protocol (distinct connections mode), until its `complete`.
 * @throws AppError UNAVAILABLE when the stream breaks off or ends without `complete`.
 */
export async function* readEventStream(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  for await (const { event, data } of readServerSentEvents(body)) {
    if (event === 'complete') return;
    if (event === 'next') yield JSON.parse(data) as StreamEvent;
  }
  throw interrupted();
}

/** Splits a stream into its events (HTML Living Standard, section 9.2.6; lines end with LF or CRLF). */
async function* readServerSentEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<{ event: string; data: string }> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body) {
      rest += decoder.decode(chunk, { stream: true });
      if (rest.length > MAX_EVENT_CHARS) throw new Error(`An event is longer than ${MAX_EVENT_CHARS} characters`);
      const blocks = rest.split(/\r?\n\r?\n/);
      rest = blocks.pop() ?? '';
      for (const block of blocks) yield parseBlock(block);
    }
  } catch (cause) {
    throw interrupted(cause);
  }
}

function parseBlock(block: string): { event: string; data: string } {
  const lines = block.split(/\r?\n/);
  const values = (field: string) =>
    lines.filter((line) => line.startsWith(`${field}:`)).map((line) => line.slice(field.length + 1).replace(/^ /, ''));
  return { event: values('event').at(-1) ?? 'message', data: values('data').join('\n') };
}

function interrupted(cause?: unknown): AppError {
  return new AppError('UNAVAILABLE', 'The subscription was interrupted; subscribe again from the last sequence.', {
    cause,
  });
}
