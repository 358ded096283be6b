import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { expressMiddleware } from '@as-integrations/express5';
import type { FormatError } from '@kindred/service/format-error';
import { addHealthRoutes } from '@kindred/service/health';
import { listen, type RunningServer } from '@kindred/service/http-server';
import type { Logger } from '@kindred/service/logger';
import { createMetrics, type Metrics } from '@kindred/service/metrics';
import { answerErrors } from '@kindred/service/request-pipeline';
import { currentTraceId, newTraceId, runInTrace } from '@kindred/service/trace';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { GraphQLError, type GraphQLSchema, OperationTypeNode } from 'graphql';
import { type Authenticate, createAuthenticate, type Credential } from './auth.ts';
import { OPERATION_TIMEOUT_MS, type OperationContext } from './context.ts';
import { cors } from './cors.ts';
import { createDataSources } from './data-sources.ts';
import { createExecutor, type Executor } from './executor/executor.ts';
import { createGatewayFormatError } from './format-error.ts';
import { checkCost, ERRORS_BEFORE_GIVING_UP, MAX_TOKENS, parseWithinLimits } from './limits.ts';
import { LruCache } from './lru-cache.ts';
import { OperationCosts } from './operation-cost.ts';
import { startSocketServer } from './socket-server.ts';
import { createStreamRoute } from './stream-route.ts';
import { createSubgraphClient, type SubgraphClientOptions } from './subgraph-client.ts';
import { SUBGRAPHS } from './subgraphs.ts';
import { createSubscriptions, type Subscriptions } from './subscriptions.ts';
import { buildSupergraph } from './supergraph.ts';

export interface GatewayOptions extends SubgraphClientOptions {
  host: string;
  port: number;
  /** The origins whose pages may call from browsers. */
  allowedOrigins: readonly string[];
  production: boolean;
  logger: Logger;
}

// 5,000 items with their properties, the most that one upsertItems takes.
const BODY_LIMIT = '8mb';
const STREAM_BODY_LIMIT = '256kb';

/**
 * Serves the supergraph: queries and mutations on POST /graphql, subscriptions over graphql-ws on /graphql and over SSE on
 * POST /graphql/stream; /health/live, /health/ready and /metrics.
 */
export async function startGateway(options: GatewayOptions): Promise<RunningServer> {
  const { logger } = options;
  const supergraphSdl = await readFile(new URL('../supergraph.graphql', import.meta.url), 'utf8');
  const client = createSubgraphClient(options);
  const formatError = createGatewayFormatError(logger, { hideSchema: options.production });
  const authenticate = createAuthenticate({ client, tenantUrl: options.subgraphUrls.tenant });
  const supergraph = buildSupergraph(supergraphSdl);
  const executor = createExecutor({ supergraph, supergraphSdl, client, dataSources: createDataSources(client) });
  const subscriptions = createSubscriptions({ executor, client, formatError, hideSchema: options.production });
  const apollo = await startApollo(options, { executor, formatError });
  const draining = new AbortController();

  const app = express().disable('x-powered-by').disable('etag');
  const metrics = createMetrics('gateway');
  app.use(metrics.middleware);
  addGauges(metrics, { subscriptions, executor });
  const readiness = Object.fromEntries(SUBGRAPHS.map((name) => [name, () => client.checkLive(name)]));
  addHealthRoutes(app, { readiness, metrics, logger, isDraining: () => draining.signal.aborted });
  app.use(beginTrace, cors(options.allowedOrigins));
  const admit = authenticateRequest(authenticate);
  const graphql = expressMiddleware(apollo, { context: async ({ req, res }) => operationContextOf(req, res) });
  app.post('/graphql', admit, express.json({ limit: BODY_LIMIT }), refuseOversized(), graphql);
  const stream = createStreamRoute({ subscriptions, credentialOf, draining: draining.signal });
  app.post('/graphql/stream', admit, express.json({ limit: STREAM_BODY_LIMIT }), stream);
  app.all(['/graphql', '/graphql/stream'], onlyPost);
  app.use(answerErrors(formatError));

  const http = createServer(app);
  const sockets = startSocketServer(http, { ...options, subscriptions, authenticate });
  const server = await listen(http, options);
  logger.info({ url: server.url }, 'The gateway listens');
  let drained: Promise<void> | undefined;
  const drain = async () => {
    draining.abort();
    await Promise.all([sockets.drain(), server.drain()]);
    await apollo.stop();
    await client.close();
  };
  return { ...server, drain: () => (drained ??= drain()) };
}

async function startApollo(
  { production, logger }: GatewayOptions,
  graph: { executor: Executor; formatError: FormatError },
) {
  const apollo = new ApolloServer<OperationContext>({
    gateway: graph.executor.gateway,
    formatError: graph.formatError,
    logger,
    csrfPrevention: true,
    introspection: !production,
    hideSchemaDetailsFromClientErrors: production,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: MAX_TOKENS },
    validationOptions: { maxErrors: ERRORS_BEFORE_GIVING_UP },
    plugins: [ApolloServerPluginLandingPageDisabled(), refuseSubscriptions, refuseDear(graph.executor.schema)],
  });
  await apollo.start();
  return apollo;
}

function addGauges(
  metrics: Metrics,
  { subscriptions, executor }: { subscriptions: Subscriptions; executor: Executor },
) {
  metrics.addGauge({
    name: 'kindred_gateway_subscriptions_open',
    help: 'Subscriptions that are open, over both transports.',
    read: () => subscriptions.activeCount(),
  });
  metrics.addGauge({
    name: 'kindred_gateway_plans_cached',
    help: 'Operations whose compiled plans are kept.',
    read: () => executor.stats().plans,
  });
  metrics.addGauge({
    name: 'kindred_gateway_stock_executions',
    help: 'Operations since the start that the stock executor ran: introspection, and plans that are not known here.',
    read: () => executor.stats().fallbacks,
  });
  metrics.addGauge({
    name: 'kindred_gateway_fetches_shared',
    help: 'Fetches from subgraphs since the start that were answered by an identical one under way.',
    read: () => executor.stats().sharedFetches,
  });
}

/** Refuses what must not be planned before Apollo Server validates it, whose hooks can only fail a request with status 500. */
function refuseOversized(): RequestHandler {
  // Documents that passed: Apollo Server keeps what it parsed of them.
  const admitted = new LruCache<true>({ capacity: 2_000, maxWeight: 8 * 1024 * 1024 });
  return (req, res, next) => {
    const query: unknown = req.body?.query;
    if (typeof query !== 'string' || admitted.get(query) === true) {
      next();
      return;
    }
    const document = parseWithinLimits(query);
    if ('definitions' in document) {
      admitted.set(query, true, query.length);
      next();
    } else res.status(400).json({ errors: document });
  };
}

/** Refuses what asks for too much with the variables it has; here, because a persisted query comes without its text. */
function refuseDear(schema: GraphQLSchema): ApolloServerPlugin<OperationContext> {
  const costs = new OperationCosts(schema);
  return {
    requestDidStart: async () => ({
      didResolveOperation: async ({ document, operation, request: { variables = {} } }) => {
        if (!operation) {
          const message = 'Wanted one operation, or an operationName that the document holds.';
          throw new GraphQLError(message, {
            extensions: { code: 'OPERATION_RESOLUTION_FAILURE', http: { status: 400 } },
          });
        }
        const tooDear = checkCost(costs.of(document, operation, variables));
        if (tooDear) throw tooDear;
      },
    }),
  };
}

const onlyPost: RequestHandler = (_req, res) => {
  const error = { message: 'Operations are sent by POST.', extensions: { code: 'BAD_REQUEST' } };
  res
    .status(405)
    .set('allow', 'POST, OPTIONS')
    .json({ errors: [error] });
};

const refuseSubscriptions: ApolloServerPlugin<OperationContext> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ operation }) => {
      if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return;
      const message = 'Subscriptions run over graphql-ws at /graphql or over SSE at POST /graphql/stream.';
      throw new GraphQLError(message, { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } });
    },
  }),
};

// The trace begins here: what a client sends as a trace, or as any internal header, is never read.
const beginTrace: RequestHandler = (_req, _res, next) => runInTrace(newTraceId(), next);

function authenticateRequest(authenticate: Authenticate): RequestHandler {
  return async (req, res, next) => {
    res.locals.credential = await authenticate({
      authorization: req.get('authorization'),
      apiKey: req.get('x-api-key'),
      origin: req.get('origin'),
    });
    next();
  };
}

function credentialOf(res: Response): Credential {
  return res.locals.credential as Credential;
}

function operationContextOf({ ip: clientAddress }: Request, res: Response): OperationContext {
  const stop = new AbortController();
  // One timer and one controller: the signals that `withDeadline` combines cost more than the rest of this file.
  const tooLong = () => stop.abort(new DOMException('The operation took too long', 'TimeoutError'));
  const deadline = setTimeout(tooLong, OPERATION_TIMEOUT_MS).unref();
  res.once('close', () => {
    clearTimeout(deadline);
    if (!res.writableFinished) stop.abort();
  });
  return { viewer: credentialOf(res).viewer, traceId: currentTraceId(), clientAddress, signal: stop.signal };
}
