import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { Viewer } from '@kindred/domain/viewer';
import express, { type Express, type RequestHandler } from 'express';
import { type GraphQLSchema, parse } from 'graphql';
import { batchEntities, type EntityFinders } from './batch-entities.ts';
import { enforceScopes } from './enforce-scopes.ts';
import { createFormatError, type FormatError } from './format-error.ts';
import { addHealthRoutes, type Readiness } from './health.ts';
import { listen, type RunningServer } from './http-server.ts';
import type { Vouched } from './internal-token.ts';
import type { Logger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { joinLines } from './operation-lines.ts';
import { createOperationRunner, type OperationAnswer, type RunOperation } from './operation-runner.ts';
import { readDeadline, TIMEOUT_HEADER } from './request-deadline.ts';
import {
  admitUnread,
  answerErrors,
  answerOf,
  createTokenVerifier,
  parseJson,
  readVerified,
  type Verified,
  verifyRequest,
  type VerifyToken,
  vouchedOf,
} from './request-pipeline.ts';
import { createStreamHandler } from './stream-handler.ts';
import { currentTraceId, newTraceId, readTraceId, runInTrace, TRACE_HEADER } from './trace.ts';

export type { RunningServer } from './http-server.ts';

/** What a resolver context may know of the request besides its viewer. */
export interface SubgraphRequest {
  /** Aborted when the client goes away or no longer waits, or the server drains: end subscriptions and long work with it. */
  readonly signal: AbortSignal;
  traceId: string;
  headers: IncomingHttpHeaders;
  /** When the caller stops waiting, as `performance.now()` tells it; null when it did not say. */
  deadlineAt: number | null;
  /** Where the client's connection came from, by the gateway's word; null when the gateway itself asks. */
  clientAddress: string | null;
}

/** What every resolver context holds; `enforceScopes` reads it. */
export interface ViewerContext {
  viewer: Viewer;
}

type ResolverMap =
  NonNullable<Exclude<Parameters<typeof buildSubgraphSchema>[0], { kind: unknown }>[number]> extends infer M
    ? M extends { resolvers?: infer R }
      ? NonNullable<R>
      : never
    : never;

export interface SubgraphOptions<C extends ViewerContext> {
  /** Its name in the supergraph, which is also the audience of its internal tokens. */
  name: string;
  /** The SDL of `schema.graphql`. */
  typeDefs: string;
  /** A map of type name to resolvers, `__resolveReference` and scalars included. */
  resolvers: object;
  /** Finds entities of a type by the list; those of other types are found by their `__resolveReference`. */
  entities?: EntityFinders<C>;
  env: { host: string; port: number; internalTokenSecret: string };
  createContext: (viewer: Viewer, request: SubgraphRequest) => C | Promise<C>;
  logger: Logger;
  readiness: Readiness;
  /** Adds the subgraph's own figures to /metrics. */
  addMetrics?: (metrics: Metrics) => void;
  /** Further routes, outside GraphQL and without an internal token, but for those that `admit` stands before. */
  routes?: (app: Express, admit: RequestHandler) => void;
}

/**
 * Serves a subgraph: POST /graphql, subscriptions over SSE (graphql-sse protocol, distinct connections) on POST
 * /graphql/stream, both only with an internal token for exactly this request; /health/live, /health/ready and /metrics without.
 */
export async function startSubgraph<C extends ViewerContext>(options: SubgraphOptions<C>): Promise<RunningServer> {
  const schema = buildSchema(options);
  const formatError = createFormatError(options.logger);
  const draining = new AbortController();
  const verifyToken = createTokenVerifier({ audience: options.name, secret: options.env.internalTokenSecret });

  const app = express().disable('x-powered-by').disable('etag');
  const metrics = createMetrics(options.name);
  options.addMetrics?.(metrics);
  app.use(metrics.middleware);
  addHealthRoutes(app, { ...options, metrics, isDraining: () => draining.signal.aborted });
  options.routes?.(app, admitUnread(verifyToken));
  const requestOf = (req: IncomingMessage, res: ServerResponse, { clientAddress }: Vouched) =>
    new RequestOf({ req, res, clientAddress, draining: draining.signal });
  const stream = createStreamHandler({
    schema,
    context: async (req, res) => {
      const vouched = vouchedOf(res);
      return await options.createContext(vouched.viewer, requestOf(req, res, vouched));
    },
    formatError,
    draining: draining.signal,
  });
  app.post('/graphql/stream', verifyRequest(verifyToken), stream);
  app.use(answerErrors(formatError));

  const answer = createAnswer({
    ...options,
    run: createOperationRunner({ schema, formatError }),
    formatError,
    verifyToken,
    requestOf,
  });
  // Not through express: what it does for a request costs more than most operations do.
  const http = createServer((req, res) => {
    if (req.method !== 'POST' || req.url !== '/graphql') {
      app(req, res);
      return;
    }
    const startedAt = performance.now();
    void runInTrace(traceOf(req), async () => {
      const { status, text } = await answer(req, res);
      write(res, status, text);
      metrics.observe({ method: 'POST', route: '/graphql', status, startedAt });
    });
  });
  const server = await listen(http, options.env);
  options.logger.info({ url: server.url }, `The ${options.name} subgraph listens`);
  return {
    ...server,
    drain: async () => {
      draining.abort();
      await server.drain();
    },
  };
}

interface AnswerParts<C extends ViewerContext> extends Pick<SubgraphOptions<C>, 'createContext'> {
  run: RunOperation;
  formatError: FormatError;
  verifyToken: VerifyToken;
  requestOf: (req: IncomingMessage, res: ServerResponse, vouched: Vouched) => SubgraphRequest;
}

interface TextAnswer {
  status: number;
  text: string;
}

/** The answer to a request, whatever is wrong with it; to one of several operations, their answers line by line. */
function createAnswer<C extends ViewerContext>(parts: AnswerParts<C>) {
  const { createContext, run, formatError, verifyToken, requestOf } = parts;
  const orError = async (work: () => Promise<OperationAnswer>): Promise<TextAnswer> => {
    try {
      const { status, result } = await work();
      return { status, text: JSON.stringify(result) };
    } catch (error) {
      const { status, body } = answerOf(error, formatError);
      return { status, text: JSON.stringify(body) };
    }
  };
  return async (req: IncomingMessage, res: ServerResponse): Promise<TextAnswer> => {
    let verified: Verified;
    try {
      verified = await readVerified(req, verifyToken);
    } catch (error) {
      return await orError(() => Promise.reject(error));
    }
    const { vouched, operations, hasLines } = verified;
    const request = requestOf(req, res, vouched);
    // Each with a context of its own, as if it had come alone.
    const answerOne = (text: string) =>
      orError(async () => await run(parseJson(text), await createContext(vouched.viewer, request)));
    const [only = ''] = operations;
    if (!hasLines) return await answerOne(only);
    const answers = await Promise.all(operations.map(answerOne));
    return { status: 200, text: joinLines(answers.map(({ text }) => text)) };
  };
}

interface RequestParts {
  req: IncomingMessage;
  res: ServerResponse;
  clientAddress: string | null;
  draining: AbortSignal;
}

/** A request as resolver contexts see it; what few of them look at is made when it is looked at. */
class RequestOf implements SubgraphRequest {
  readonly traceId = currentTraceId();
  readonly headers: IncomingHttpHeaders;
  readonly deadlineAt: number | null;
  readonly clientAddress: string | null;
  readonly #draining: AbortSignal;
  readonly #res: ServerResponse;
  #signal: AbortSignal | undefined;

  constructor({ req, res, clientAddress, draining }: RequestParts) {
    const { headers } = req;
    this.clientAddress = clientAddress;
    const timeout = headers[TIMEOUT_HEADER];
    this.headers = headers;
    this.deadlineAt = readDeadline(typeof timeout === 'string' ? timeout : undefined, performance.now());
    this.#res = res;
    this.#draining = draining;
  }

  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    const gone = new AbortController();
    const leave = () => gone.abort();
    if (this.#res.closed) leave();
    else {
      const leftMs = this.deadlineAt === null ? null : Math.max(0, Math.ceil(this.deadlineAt - performance.now()));
      const late = leftMs === null ? undefined : setTimeout(leave, leftMs).unref();
      this.#res.once('close', () => {
        // A timer would keep the request for all of its time.
        clearTimeout(late);
        leave();
      });
    }
    this.#signal = AbortSignal.any([gone.signal, this.#draining]);
    return this.#signal;
  }
}

function traceOf(req: IncomingMessage): string {
  const header = req.headers[TRACE_HEADER];
  return readTraceId(typeof header === 'string' ? header : undefined) ?? newTraceId();
}

function write(res: ServerResponse, status: number, text: string): void {
  // The client is gone: there is nobody to answer.
  if (res.destroyed) return;
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  res.end(text);
}

function buildSchema<C extends ViewerContext>({
  typeDefs,
  resolvers,
  entities,
}: Pick<SubgraphOptions<C>, 'typeDefs' | 'resolvers' | 'entities'>): GraphQLSchema {
  // Generated resolver types and @apollo/subgraph's are two descriptions of the same map.
  const schema = buildSubgraphSchema([
    { typeDefs: parse(typeDefs), resolvers: withAsyncReferences(resolvers) as ResolverMap },
  ]);
  enforceScopes(schema);
  if (entities !== undefined) batchEntities(schema, entities);
  return schema;
}

// @apollo/subgraph calls the references of a list in one loop: one that throws at once would leave the promises of the
// others without a handler, and an unhandled rejection ends the process.
function withAsyncReferences(resolvers: object): object {
  return Object.fromEntries(
    Object.entries(resolvers).map(([type, fields]: [string, { __resolveReference?: unknown }]) => {
      const { __resolveReference: resolve } = fields;
      if (typeof resolve !== 'function') return [type, fields];
      const resolveLater = async (...args: unknown[]): Promise<unknown> => await resolve(...args);
      return [type, { ...fields, __resolveReference: resolveLater }];
    }),
  );
}
