import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

// Proxies cut silent connections, most after 60 s, some after 15.
const HEARTBEAT_MS = 10_000;

/**
 * Answers with Server-Sent Events in the graphql-sse protocol (distinct connections mode): `next` per result, which
 * comes as JSON, then `complete`. Takes the next result only when the client's connection has taken the last one. The client going away
 * returns `results`. When `draining` aborts, the stream ends without `complete`, which clients take as a lost connection.
 */
export async function writeEventStream(
  res: ServerResponse,
  results: AsyncIterable<string>,
  draining: AbortSignal,
): Promise<void> {
  const iterator = results[Symbol.asyncIterator]();
  const stop = () => void iterator.return?.();
  res.once('close', stop);
  draining.addEventListener('abort', stop, { once: true });
  const stopHeartbeat = openEventStream(res);
  try {
    const ended = await writeResults(res, iterator, draining);
    if (ended) res.write('event: complete\ndata:\n\n');
  } finally {
    stopHeartbeat();
    draining.removeEventListener('abort', stop);
    stop();
    res.end();
  }
}

/** Begins the answer, and keeps it alive until what is returned is called. */
export function openEventStream(res: ServerResponse): () => void {
  res.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  // Some browsers take the head of the answer for arrived only with its first bytes.
  res.write(':\n\n');
  const heartbeat = setInterval(() => res.write(':\n\n'), HEARTBEAT_MS);
  return () => clearInterval(heartbeat);
}

/** True when the results came to their own end, false when the client went away or the server drains. */
async function writeResults(
  res: ServerResponse,
  iterator: AsyncIterator<string>,
  draining: AbortSignal,
): Promise<boolean> {
  for (;;) {
    const next = await iterator.next();
    // What a source says once it is told to stop is not for the client.
    if (res.destroyed || draining.aborted) return false;
    if (next.done === true) return true;
    const fits = res.write(`event: next\ndata: ${next.value}\n\n`);
    if (!fits) await untilDrained(res, draining);
  }
}

/** Until the client has read, or is gone, or must be left because it does not read while the server drains. */
export async function untilDrained(res: ServerResponse, draining: AbortSignal): Promise<void> {
  const waiting = new AbortController();
  const signal = AbortSignal.any([waiting.signal, draining]);
  try {
    await Promise.race([once(res, 'drain', { signal }), once(res, 'close', { signal })]);
  } catch (error) {
    if (!draining.aborted) throw error;
    res.destroy();
  } finally {
    waiting.abort();
  }
}
