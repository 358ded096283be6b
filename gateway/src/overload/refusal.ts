import { STATUS_CODES } from 'node:http';
import { KEEP_ALIVE_MS } from '@kindred/service/http-server';
import { corsHeaders } from '../cors.ts';

const STATUS = 503;
const BODY = JSON.stringify({
  errors: [{ message: 'There is too much to do now; try again.', extensions: { code: 'UNAVAILABLE' } }],
});
/**
 * Node closes a connection of which it sees nothing for `KEEP_ALIVE_MS`, and of what is refused before it is parsed it sees
 * nothing: so not everything is, and less is promised.
 */
export const NODE_SEES_EVERY_MS = 10_000;
/** Those who are refused together do not come back together. */
const RETRY_AFTER_S = [1, 2, 3];

/** What somebody is told who has to come again. */
export interface Refusal {
  status: number;
  headers: Readonly<Record<string, string | number>>;
  body: string;
}

/** The refusal number `count`, for a page of `origin`. */
export function refusalFor(allowedOrigins: readonly string[], origin: string | undefined, count: number): Refusal {
  const headers = {
    ...corsHeaders(allowedOrigins, origin),
    'content-type': 'application/json; charset=utf-8',
    'content-length': BODY.length,
    'cache-control': 'no-store',
    'retry-after': String(RETRY_AFTER_S[count % RETRY_AFTER_S.length]),
  };
  return { status: STATUS, headers, body: BODY };
}

/**
 * What gives refusals as they go over a connection that is kept, to pages of each origin, and to all others under `''`; they
 * say when they were given, and there are new ones once a second.
 */
export function createRefusalBytes(allowedOrigins: readonly string[]): () => Iterable<[string, Buffer[]]> {
  const writeFor = (origin: string | undefined) =>
    RETRY_AFTER_S.map((_seconds, number) => write(refusalFor(allowedOrigins, origin, number)));
  let writtenAtS = 0;
  return () => {
    const nowS = Math.floor(Date.now() / 1_000);
    if (nowS === writtenAtS) return [];
    writtenAtS = nowS;
    return [undefined, ...allowedOrigins].map((origin) => [origin ?? '', writeFor(origin)]);
  };
}

function write({ status, headers, body }: Refusal): Buffer {
  const all = {
    ...headers,
    date: new Date().toUTCString(),
    connection: 'keep-alive',
    'keep-alive': `timeout=${(KEEP_ALIVE_MS - NODE_SEES_EVERY_MS) / 1_000}`,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`, 'latin1');
}
