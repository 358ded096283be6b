import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

/** The header that carries the trace from process to process (W3C Trace Context, section 3.2). */
export const TRACE_HEADER = 'traceparent';

const traces = new AsyncLocalStorage<string>();

/** 32 hex digits, random. */
export function newTraceId(): string {
  return randomHex(16);
}

/** Everything that `work` starts, asynchronous parts included, belongs to this trace. */
export function runInTrace<T>(traceId: string, work: () => T): T {
  return traces.run(traceId, work);
}

/** The trace of the work under way; a new one where none was begun. */
export function currentTraceId(): string {
  return traces.getStore() ?? newTraceId();
}

/** The trace in a `traceparent` header; undefined when there is none or it is malformed. */
export function readTraceId(header: string | undefined): string | undefined {
  return /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(header ?? '')?.[1];
}

/** A `traceparent` header for a call that belongs to this trace. */
export function traceparent(traceId: string): string {
  return `00-${traceId}-${randomHex(8)}-01`;
}

// Random digits cost less by the thousand.
const POOL_BYTES = 4_096;
let pool = '';
let used = 0;

function randomHex(bytes: number): string {
  const length = 2 * bytes;
  if (used + length > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex');
    used = 0;
  }
  used += length;
  return pool.slice(used - length, used);
}
