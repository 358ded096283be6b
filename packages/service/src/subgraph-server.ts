import { createServer, type IncomingHttpHeaders } from 'node:http';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { expressMiddleware } from '@as-integrations/express5';
import type { Viewer } from '@kindred/domain/viewer';
import express, { type Express, type Request, type Response } from 'express';
import { type GraphQLSchema, parse } from 'graphql';
import { enforceScopes } from './enforce-scopes.ts';
import { createFormatError, type FormatError } from './format-error.ts';
import { addHealthRoutes, type Readiness } from './health.ts';
import { listen, type RunningServer } from './http-server.ts';
import type { Logger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { answerErrors, verifyRequest, vouchedOf } from './request-pipeline.ts';
import { createStreamHandler } from './stream-handler.ts';
import { currentTraceId } from './trace.ts';

export type { RunningServer } from './http-server.ts';

/** What a resolver context may know of the request besides its viewer. */
export interface SubgraphRequest {
  /** Aborted when the client goes away or the server drains: end subscriptions and long work with it. */
  signal: AbortSignal;
  traceId: string;
  headers: IncomingHttpHeaders;
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
  env: { host: string; port: number; internalTokenSecret: string };
  createContext: (viewer: Viewer, request: SubgraphRequest) => C | Promise<C>;
  logger: Logger;
  readiness: Readiness;
  /** Adds the subgraph's own figures to /metrics. */
  addMetrics?: (metrics: Metrics) => void;
  /** Further routes, outside GraphQL and without an internal token. */
  routes?: (app: Express) => void;
}

/**
 * Serves a subgraph: POST /graphql, subscriptions over SSE (graphql-sse protocol, distinct connections) on POST
 * /graphql/stream, both only with an internal token for exactly this request; /health/live, /health/ready and /metrics without.
 */
export async function startSubgraph<C extends ViewerContext>(options: SubgraphOptions<C>): Promise<RunningServer> {
  const schema = buildSchema(options);
  const formatError = createFormatError(options.logger);
  const apollo = await startApollo<C>(schema, formatError, options.logger);
  const draining = new AbortController();
  const context = (req: Request, res: Response) => contextOf(options, { req, res, draining: draining.signal });

  const app = express().disable('x-powered-by').disable('etag');
  const metrics = createMetrics(options.name);
  options.addMetrics?.(metrics);
  app.use(metrics.middleware);
  addHealthRoutes(app, { ...options, metrics, isDraining: () => draining.signal.aborted });
  options.routes?.(app);
  const verify = verifyRequest({ audience: options.name, secret: options.env.internalTokenSecret });
  app.post('/graphql', verify, expressMiddleware(apollo, { context: ({ req, res }) => context(req, res) }));
  app.post('/graphql/stream', verify, createStreamHandler({ schema, context, formatError, draining: draining.signal }));
  app.use(answerErrors(formatError));

  const server = await listen(createServer(app), options.env);
  options.logger.info({ url: server.url }, `The ${options.name} subgraph listens`);
  return {
    ...server,
    drain: async () => {
      draining.abort();
      await server.drain();
      await apollo.stop();
    },
  };
}

function buildSchema({ typeDefs, resolvers }: { typeDefs: string; resolvers: object }): GraphQLSchema {
  // Generated resolver types and @apollo/subgraph's are two descriptions of the same map.
  const schema = buildSubgraphSchema([
    { typeDefs: parse(typeDefs), resolvers: withAsyncReferences(resolvers) as ResolverMap },
  ]);
  enforceScopes(schema);
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

async function startApollo<C extends ViewerContext>(schema: GraphQLSchema, formatError: FormatError, logger: Logger) {
  const apollo = new ApolloServer<C>({
    schema,
    formatError,
    logger,
    introspection: false,
    // The internal token is a header that no browser form can send.
    csrfPrevention: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    plugins: [ApolloServerPluginInlineTraceDisabled()],
  });
  await apollo.start();
  return apollo;
}

async function contextOf<C extends ViewerContext>(
  options: SubgraphOptions<C>,
  { req, res, draining }: { req: Request; res: Response; draining: AbortSignal },
): Promise<C> {
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, draining]);
  const { viewer, clientAddress } = vouchedOf(res);
  const request = { signal, traceId: currentTraceId(), headers: req.headers, clientAddress };
  return await options.createContext(viewer, request);
}
