import { StringDecoder } from 'node:string_decoder';
import type { GraphQLAnswer } from './subgraph-client.ts';

/** One result of a subscription. */
export type StreamEvent = GraphQLAnswer;

// A training event has about 500 bytes; a stream without line ends must not fill the memory.
const MAX_EVENT_CHARS = 4 * 1024 * 1024;
/** Between two events (HTML Living Standard, section 9.2.6); lines end with LF or CRLF. */
const BETWEEN = /\r?\n\r?\n/;

/** Reads the results in a stream of the graphql-sse protocol (distinct connections mode), as its bytes come. */
export class EventStreamReader {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  #isComplete = false;

  /** Whether `complete` came: nothing after it counts. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** The results that end within these bytes. @throws Error when one is too long or no JSON */
  read(bytes: Buffer): StreamEvent[] {
    const blocks = (this.#rest + this.#decoder.write(bytes)).split(BETWEEN);
    this.#rest = blocks.pop() ?? '';
    if (this.#rest.length > MAX_EVENT_CHARS) throw new Error(`An event is longer than ${MAX_EVENT_CHARS} characters`);
    const results: StreamEvent[] = [];
    for (const block of blocks) {
      const { event, data } = parseBlock(block);
      if (event === 'complete') this.#isComplete = true;
      if (this.#isComplete) break;
      if (event === 'next') results.push(JSON.parse(data) as StreamEvent);
    }
    return results;
  }
}

function parseBlock(block: string): { event: string; data: string } {
  let event = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const end = line.endsWith('\r') ? -1 : line.length;
    if (line.startsWith('event:')) event = line.slice(6, end).trimStart();
    else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5, end));
  }
  return { event, data: data.join('\n') };
}
