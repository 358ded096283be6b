import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { Viewer } from '@kindred/domain/viewer';
import express, { type Express, type RequestHandler } from 'express';
import { type GraphQLSchema, parse } from 'graphql';
import { type AdmitCall, admitCalls } from './admit-calls.ts';
import { answerError, type AnswerOperations, createAnswerOperations, type TextAnswer } from './answer-operations.ts';
import { batchEntities, type EntityFinders } from './batch-entities.ts';
import { serveChannels } from './channel-server.ts';
import { enforceScopes } from './enforce-scopes.ts';
import { createFormatError, type FormatError } from './format-error.ts';
import { addHealthRoutes, type Readiness } from './health.ts';
import { DRAIN_TIMEOUT_MS, listen, type RunningServer } from './http-server.ts';
import { INTERNAL_TOKEN_HEADER } from './internal-token.ts';
import type { Logger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { CHANNEL_PATH, CHANNEL_REQUEST } from './operation-channel.ts';
import { LINES_TYPE } from './operation-lines.ts';
import { createOperationRunner } from './operation-runner.ts';
import { TIMEOUT_HEADER } from './request-deadline.ts';
import {
  admitUnread,
  answerErrors,
  createTokenVerifier,
  readBody,
  verifyRequest,
  type VerifyToken,
  vouchedOf,
} from './request-pipeline.ts';
import { createStreamHandler } from './stream-handler.ts';
import { httpExchange, RequestOf, type SubgraphRequest } from './subgraph-request.ts';
import { newTraceId, readTraceId, runInTrace, TRACE_HEADER } from './trace.ts';

export type { RunningServer } from './http-server.ts';
export type { SubgraphRequest } from './subgraph-request.ts';

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
 * Serves a subgraph: POST /graphql, the same operations over channels (`serveChannels`), subscriptions over SSE (graphql-sse protocol, distinct connections) on POST
 * /graphql/stream, all only with an internal token for exactly this request; /health/live, /health/ready and /metrics without.
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
  const stream = createStreamHandler({
    schema,
    context: async (req, res) => {
      const exchange = httpExchange(res, req.headers[TIMEOUT_HEADER]);
      const { viewer, clientAddress } = vouchedOf(res);
      const request = new RequestOf({ exchange, clientAddress, draining: draining.signal });
      return await options.createContext(viewer, request);
    },
    formatError,
    draining: draining.signal,
  });
  app.post('/graphql/stream', verifyRequest(verifyToken), stream);
  app.use(answerErrors(formatError));

  const answer = createAnswerOperations({
    ...options,
    run: createOperationRunner({ schema, formatError }),
    formatError,
    draining: draining.signal,
  });
  // Not through express: what it does for a request costs more than most operations do.
  const http = createServer((req, res) => {
    if (req.method !== 'POST' || req.url !== '/graphql') {
      app(req, res);
      return;
    }
    const startedAt = performance.now();
    void runInTrace(traceOf(req), async () => {
      const { status, text } = await answerHttp(req, res, { answer, formatError, verifyToken });
      write(res, status, text);
      metrics.observe({ method: 'POST', route: '/graphql', status, startedAt });
    });
  });
  const channels = serveChannels(http, {
    open: (req) => openChannel(req, { verifyToken, secret: options.env.internalTokenSecret }),
    answer,
    observe: (answered) => metrics.observe({ method: 'CALL', route: CHANNEL_PATH, ...answered }),
  });
  const server = await listen(http, options.env);
  options.logger.info({ url: server.url }, `The ${options.name} subgraph listens`);
  return {
    ...server,
    drain: async () => {
      draining.abort();
      await Promise.all([channels.drain(DRAIN_TIMEOUT_MS), server.drain()]);
    },
  };
}

/** The answer to the body of a request, be it too large to be read. */
async function answerHttp(
  req: IncomingMessage,
  res: ServerResponse,
  {
    answer,
    formatError,
    verifyToken,
  }: { answer: AnswerOperations; formatError: FormatError; verifyToken: VerifyToken },
): Promise<TextAnswer> {
  let body: Buffer;
  try {
    body = await readBody(req);
  } catch (error) {
    return answerError(error, formatError);
  }
  const hasLines = req.headers['content-type'] === LINES_TYPE;
  const admit = () => verifyToken(tokenOf(req), body);
  return await answer({ admit, body, hasLines }, httpExchange(res, req.headers[TIMEOUT_HEADER]));
}

/** @throws AppError UNAUTHENTICATED */
function openChannel(
  req: IncomingMessage,
  { verifyToken, secret }: { verifyToken: VerifyToken; secret: string },
): AdmitCall {
  const token = tokenOf(req);
  verifyToken(token, Buffer.from(CHANNEL_REQUEST));
  return admitCalls(secret, token ?? '');
}

function tokenOf(req: IncomingMessage): string | undefined {
  const token = req.headers[INTERNAL_TOKEN_HEADER];
  return typeof token === 'string' ? token : undefined;
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
