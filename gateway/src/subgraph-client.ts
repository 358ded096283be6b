import type { Readable } from 'node:stream';
import { AppError } from '@kindred/domain/app-error';
import type { Viewer } from '@kindred/domain/viewer';
import { createCallSeal } from '@kindred/service/call-seal';
import { INTERNAL_TOKEN_HEADER, signInternalToken } from '@kindred/service/internal-token';
import { CHANNEL_REQUEST } from '@kindred/service/operation-channel';
import { LINES_TYPE } from '@kindred/service/operation-lines';
import { unreadBody } from '@kindred/service/request-pipeline';
import { TRACE_HEADER, traceparent } from '@kindred/service/trace';
import { TIMEOUT_HEADER } from '@kindred/service/request-deadline';
import { type Dispatcher, Pool } from 'undici';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { OperationContext } from './context.ts';
import { SubgraphChannels } from './subgraph-channels.ts';
import { isSubgraphName, SUBGRAPHS, type SubgraphName } from './subgraphs.ts';
import { UpstreamEvents, type UpstreamListener } from './upstream-events.ts';

export interface GraphQLRequest {
  query: string;
  operationName?: string | undefined;
  variables?: Record<string, unknown> | undefined;
}

export interface GraphQLAnswer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[];
}

/** A request whose body is written. */
export interface SubgraphCall {
  /** As the plan has it: the client knows which names there are. */
  name: string;
  body: string;
  /** Whether sending it twice does no more than sending it once. */
  repeatable: boolean;
  /** Whether the body is several operations, one a line. */
  hasLines?: boolean;
}

/** What a subgraph sent, unread. */
export interface TextAnswer {
  statusCode: number;
  text: string;
}

/** The gateway's connections to the subgraphs: kept alive, every request signed for its subgraph, viewer and body. */
export interface SubgraphClient {
  /** @throws AppError UNAVAILABLE or TIMEOUT when the subgraph does not answer; Error when it does not answer in GraphQL. */
  request(name: SubgraphName, request: GraphQLRequest, context: OperationContext): Promise<GraphQLAnswer>;
  /** Like `request`, of a body that is written already, and leaves reading the answer (`readAnswer`) to the caller. @throws like `request`; Error when there is no such subgraph */
  send(call: SubgraphCall, context: OperationContext): Promise<TextAnswer>;
  /** Opens a subscription, whose events come as they are asked for. Aborting the context's signal ends it. @throws Error when there is no such subgraph */
  stream(name: string, request: GraphQLRequest, listening: Listening): Pick<UpstreamEvents, 'ask'>;
  /** Sends and gets a file, unread. @throws AppError UNAVAILABLE */
  passFile(name: SubgraphName, file: FilePass, context: FileContext): Promise<Dispatcher.ResponseData>;
  /** @throws when the subgraph does not say that it is live. */
  checkLive(name: SubgraphName): Promise<void>;
  /** How many subgraphs are spared now because they failed. */
  openCircuitCount(): number;
  close(): Promise<void>;
}

/** Who opens a subscription, and gets its events. */
export interface Listening {
  context: OperationContext;
  listener: UpstreamListener;
}

/** A file on its way; the token is for the method and the path. */
export interface FilePass {
  method: 'GET' | 'POST';
  path: string;
  body: Readable | null;
}

/** A file takes as long as it takes. */
export type FileContext = Omit<OperationContext, 'deadlineAt'>;

export interface SubgraphClientOptions {
  subgraphUrls: Record<SubgraphName, string>;
  internalTokenSecret: string;
}

/** How a proxy before a subgraph, or a subgraph that drains, says that it does not serve. */
const OUTAGE_STATUSES: ReadonlySet<number> = new Set([502, 503, 504]);
const CONNECTIONS_PER_SUBGRAPH = 64;
/** What is longer would hold up what comes after it on a channel. */
const MOST_CHANNEL_CHARS = 256 * 1024;
// The gateway asks for a channel for whoever comes.
const NOBODY: Viewer = { kind: 'system', scopes: [] };
const CONNECT_TIMEOUT_MS = 3_000;
// Three heartbeats of a subgraph's stream: a silent connection is a dead one.
const STREAM_SILENCE_MS = 30_000;

export function createSubgraphClient(options: SubgraphClientOptions): SubgraphClient {
  const connect = { timeout: CONNECT_TIMEOUT_MS };
  const pools = byName(
    (name) => new Pool(options.subgraphUrls[name], { connections: CONNECTIONS_PER_SUBGRAPH, connect }),
  );
  // A stream holds its connection: streams have connections of their own, as many as there are subscriptions.
  const streamPools = byName(
    (name) => new Pool(options.subgraphUrls[name], { connect, bodyTimeout: STREAM_SILENCE_MS }),
  );
  const channels = byName((name) => openChannels(name, options));
  const breakers = byName(() => new CircuitBreaker());
  const dispatch = (name: SubgraphName, call: SubgraphCall, context: OperationContext) => {
    const channel = call.body.length <= MOST_CHANNEL_CHARS ? channels[name].take() : undefined;
    const signed = { ...call, name, context };
    if (channel !== undefined) {
      return channel.send(callOf(call, context), { viewer: context.viewer, body: call.body }, context.signal);
    }
    return dispatchText(pools[name], signedRequest(options.internalTokenSecret, '/graphql', signed), context.signal);
  };
  const send: SubgraphClient['send'] = async (call, context) => {
    const name = knownName(call.name);
    const breaker = breakers[name];
    const again = (cause: unknown) => call.repeatable && isLost(cause, context.signal) && breaker.takeRetry();
    try {
      return await guarded(breaker, context.signal, () => dispatch(name, call, context));
    } catch (cause) {
      if (!again(cause)) throw failure(cause, context.signal);
    }
    try {
      return await guarded(breaker, context.signal, () => dispatch(name, call, context));
    } catch (cause) {
      throw failure(cause, context.signal);
    }
  };
  return {
    send,
    request: async (name, request, context) =>
      readAnswer(name, await send({ name, body: JSON.stringify(request), repeatable: false }, context)),
    openCircuitCount: () => Object.values(breakers).filter(({ isOpen }) => isOpen).length,
    stream: (wanted, request, { context, listener }) => {
      const name = knownName(wanted);
      const stream = { name, body: JSON.stringify(request), context, listener };
      return openStream(streamPools[name], options.internalTokenSecret, stream);
    },
    passFile: (name, file, context) =>
      passFile(streamPools[name], signedFile(options.internalTokenSecret, { name, file, context }), context.signal),
    checkLive: async (name) => {
      const { statusCode, body } = await pools[name].request({ path: '/health/live', method: 'GET' });
      await body.dump();
      if (statusCode !== 200) throw new AppError('UNAVAILABLE', `answers ${statusCode}`);
    },
    close: async () => {
      for (const open of Object.values(channels)) open.close();
      await Promise.all([...Object.values(pools), ...Object.values(streamPools)].map((pool) => pool.destroy()));
    },
  };
}

function openChannels(name: SubgraphName, { subgraphUrls, internalTokenSecret }: SubgraphClientOptions) {
  const request = { viewer: NOBODY, audience: name, body: CHANNEL_REQUEST };
  return new SubgraphChannels(subgraphUrls[name], () => {
    const token = signInternalToken(internalTokenSecret, request);
    return { token, seal: createCallSeal(internalTokenSecret, token) };
  });
}

interface Call {
  name: SubgraphName;
  body: string;
  hasLines?: boolean;
  context: OperationContext;
}

function openStream(pool: Pool, secret: string, { listener, ...call }: Call & Listening): UpstreamEvents {
  const { name, context } = call;
  const { signal } = context;
  const events = new UpstreamEvents({ name, signal, failureOf: (cause) => failure(cause, signal), listener });
  pool.dispatch(signedRequest(secret, '/graphql/stream', call), events);
  return events;
}

function remainingMs({ deadlineAt }: OperationContext): string {
  return String(Math.max(1, Math.round(deadlineAt - performance.now())));
}

function callOf({ hasLines = false }: SubgraphCall, context: OperationContext) {
  return {
    traceparent: traceparent(context.traceId),
    timeout: Number.isFinite(context.deadlineAt) ? remainingMs(context) : '',
    hasLines,
    clientAddress: context.clientAddress ?? null,
  };
}

function signedRequest(secret: string, path: string, { name, body, hasLines = false, context }: Call) {
  const headers = {
    'content-type': hasLines ? LINES_TYPE : 'application/json',
    [INTERNAL_TOKEN_HEADER]: signInternalToken(secret, { ...context, audience: name, body }),
    [TRACE_HEADER]: traceparent(context.traceId),
    ...(Number.isFinite(context.deadlineAt) && { [TIMEOUT_HEADER]: remainingMs(context) }),
  };
  return { method: 'POST' as const, path, headers, body };
}

function passFile(pool: Pool, file: Dispatcher.RequestOptions, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  return orUnavailable(pool.request({ ...file, signal }), signal);
}

function signedFile(
  secret: string,
  { name, file, context }: { name: SubgraphName; file: FilePass; context: FileContext },
) {
  const token = { ...context, audience: name, body: unreadBody(file.method, file.path) };
  const headers = {
    'content-type': 'application/octet-stream',
    [INTERNAL_TOKEN_HEADER]: signInternalToken(secret, token),
    [TRACE_HEADER]: traceparent(context.traceId),
  };
  return { ...file, headers };
}

/** A call that the breaker admits, and learns the outcome of. */
async function guarded(
  breaker: CircuitBreaker,
  signal: AbortSignal,
  call: () => Promise<TextAnswer>,
): Promise<TextAnswer> {
  breaker.admit();
  try {
    const answer = await call();
    breaker.settle(OUTAGE_STATUSES.has(answer.statusCode) ? 'FAILED' : 'ANSWERED');
    return answer;
  } catch (cause) {
    breaker.settle(signal.aborted && !isTimeout(signal) ? 'ABANDONED' : 'FAILED');
    throw cause;
  }
}

/** Whether a call's connection was lost, or never came about, while its caller still waits. */
function isLost(cause: unknown, signal: AbortSignal): boolean {
  return !signal.aborted && !(cause instanceof AppError);
}

function isTimeout({ reason }: AbortSignal): boolean {
  return reason instanceof DOMException && reason.name === 'TimeoutError';
}

/** A request without the streams that `Pool.request` builds for each one: those cost more than all else here. */
function dispatchText(pool: Pool, request: Dispatcher.DispatchOptions, signal: AbortSignal): Promise<TextAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => {
      signal.removeEventListener('abort', abort);
      reject(cause);
    };
    let controller: Dispatcher.DispatchController | undefined;
    const abort = () => {
      controller?.abort(new Error('The operation was cancelled'));
      fail(signal.reason);
    };
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    const chunks: Buffer[] = [];
    let statusCode = 0;
    pool.dispatch(request, {
      onRequestStart: (started) => {
        controller = started;
        if (signal.aborted) started.abort(new Error('The operation was cancelled'));
      },
      onResponseStart: (_controller, status) => {
        statusCode = status;
      },
      onResponseData: (_controller, chunk) => void chunks.push(chunk),
      onResponseEnd: () => {
        signal.removeEventListener('abort', abort);
        resolve({ statusCode, text: decode(chunks) });
      },
      onResponseError: (_controller, error) => fail(error),
    });
  });
}

function decode(chunks: readonly Buffer[]): string {
  const [first] = chunks;
  return first !== undefined && chunks.length === 1 ? first.toString('utf8') : Buffer.concat(chunks).toString('utf8');
}

/** @throws Error when a subgraph does not answer in GraphQL. */
export function readAnswer(name: string, { statusCode, text }: TextAnswer): GraphQLAnswer {
  // A subgraph refuses the gateway's own token: nothing that the client could mend.
  if (statusCode === 401) throw new Error(`The ${name} subgraph refuses the internal token: ${text}`);
  try {
    const answer: unknown = JSON.parse(text);
    if (isAnswer(answer)) return answer;
  } catch (cause) {
    throw new Error(`The ${name} subgraph answered ${statusCode} and no JSON`, { cause });
  }
  throw new Error(`The ${name} subgraph answered ${statusCode} and no GraphQL: ${text.slice(0, 200)}`);
}

// Only the outer form: what is inside is checked against the schema when the answer is shaped.
function isAnswer(value: unknown): value is GraphQLAnswer {
  return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value);
}

async function orUnavailable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw failure(cause, signal);
  }
}

/** Why a subgraph's answer did not come, as a client may know it. */
export function failure(cause: unknown, signal: AbortSignal): AppError {
  if (cause instanceof AppError) return cause;
  if (signal.aborted && isTimeout(signal)) {
    return new AppError('TIMEOUT', 'The operation took too long.', { cause });
  }
  return new AppError('UNAVAILABLE', 'A part of the graph does not answer now; try again.', { cause });
}

/** @throws Error when there is no such subgraph. */
function knownName(name: string): SubgraphName {
  if (!isSubgraphName(name)) throw new Error(`Wanted a subgraph of ${SUBGRAPHS.join(', ')}, got "${name}"`);
  return name;
}

function byName<T>(create: (name: SubgraphName) => T): Record<SubgraphName, T> {
  return Object.fromEntries(SUBGRAPHS.map((name) => [name, create(name)])) as Record<SubgraphName, T>;
}
