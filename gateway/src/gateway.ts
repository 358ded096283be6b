import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { addHealthRoutes } from '@kindred/service/health';
import { listen, type RunningServer } from '@kindred/service/http-server';
import type { Logger } from '@kindred/service/logger';
import { createMetrics, type Metrics } from '@kindred/service/metrics';
import { answerErrors } from '@kindred/service/request-pipeline';
import { newTraceId, runInTrace } from '@kindred/service/trace';
import type { Redis } from 'ioredis';
import express, { type Express, type RequestHandler, type Response } from 'express';
import { type Authenticate, createAuthenticate } from './auth.ts';
import { addressOf, type Caller } from './caller.ts';
import { type ChannelOptions, createChannelRoutes, tokenOf } from './channel-routes.ts';
import { collectGarbage } from './collect-garbage.ts';
import { createConnectionLimits } from './connection-limits.ts';
import { cors } from './cors.ts';
import { createDataSources } from './data-sources.ts';
import { createDocuments, type Manifest } from './documents.ts';
import { createExecutor, type Executor } from './executor/executor.ts';
import { createExportRoute } from './export-route.ts';
import { createFileRoute, FILE_SUBGRAPHS } from './file-route.ts';
import { createGatewayFormatError } from './format-error.ts';
import { readManifest } from './manifest.ts';
import { createOperationRoute } from './operation-route.ts';
import { createOperations, type Operations } from './operations.ts';
import { startShedding } from './overload/shed-load.ts';
import { createPlanStore } from './planning/plan-store.ts';
import { createPlanner } from './planning/planner.ts';
import { startPlanning } from './planning/planning.ts';
import { addPlanningGauges } from './planning/planning-gauges.ts';
import { createSlowCallers } from './planning/slow-callers.ts';
import { createLocalRateStore } from './rate-limit/local-rate-store.ts';
import { createRateLimiter, type RateLimiter, type RatePolicy, ratesOfPlan } from './rate-limit/rate-limiter.ts';
import { connectRedis } from './rate-limit/redis-connection.ts';
import { createRedisRateStore } from './rate-limit/redis-rate-store.ts';
import { startSocketServer } from './socket-server.ts';
import { createStreamRoute } from './stream-route.ts';
import { createStreamedOperations } from './streamed-operations.ts';
import { createSubgraphClient, type SubgraphClient, type SubgraphClientOptions } from './subgraph-client.ts';
import { SUBGRAPHS } from './subgraphs.ts';
import { createSubscriptions, type Subscriptions } from './subscriptions.ts';
import { buildSupergraph } from './supergraph.ts';
import { createTenantDocuments } from './tenant-documents.ts';
import { createUsage, type Usage } from './usage/usage.ts';

export interface GatewayOptions extends SubgraphClientOptions {
  host: string;
  port: number;
  /** The origins whose pages may call from browsers. */
  allowedOrigins: readonly string[];
  production: boolean;
  redisUrl: string;
  /** Files with documents that were published before anybody asked for them, by their hash. */
  persistedDocuments: readonly string[];
  /** How many proxies before the gateway append to `X-Forwarded-For`. */
  trustedProxies: number;
  /** In place of the plans'. */
  ratePolicy?: RatePolicy | undefined;
  /** How often what was spent is recorded. */
  usageFlushMs?: number | undefined;
  /** How long one operation may be planned. */
  planBudgetMs?: number | undefined;
  /** Sockets and streams. */
  maxConnectionsPerTenant?: number | undefined;
  logger: Logger;
}

const STREAM_BODY_LIMIT = '256kb';

/**
 * Serves the supergraph: queries and mutations on POST /graphql, subscriptions and queries over graphql-ws on /graphql and
 * over SSE on /graphql/stream; archives of users' data on GET /exports/…; /health/live, /health/ready and /metrics.
 */
export async function startGateway(options: GatewayOptions): Promise<RunningServer> {
  const { logger } = options;
  const supergraphSdl = await readFile(new URL('../supergraph.graphql', import.meta.url), 'utf8');
  const client = createSubgraphClient(options);
  const formatError = createGatewayFormatError(logger, { hideSchema: options.production });
  const authenticate = createAuthenticate({ client, tenantUrl: options.subgraphUrls.tenant });
  const supergraph = buildSupergraph(supergraphSdl);
  const executor = createExecutor({ supergraph, client, dataSources: createDataSources(client) });
  const redis = await connectRedis(options.redisUrl);
  const planning = await startPlanning({ supergraphSdl, budgetMs: options.planBudgetMs, logger });
  const planner = createPlanner({ planning, store: createPlanStore(redis, supergraphSdl, logger) });
  const operations = createOperations(executor, { planner, hideSchema: options.production });
  const manifest = await readManifest(options.persistedDocuments);
  await warm(operations, manifest, logger);
  const spending = createUsage({ client, redis, logger, flushMs: options.usageFlushMs });
  const limiter = await createLimiter(redis, options);
  const documents = createDocuments(manifest, createTenantDocuments(client));
  const gate = { operations, documents, limiter, spending, slowCallers: createSlowCallers() };
  const subscriptions = createSubscriptions({ executor, client, formatError });
  const connections = createConnectionLimits({ perTenant: options.maxConnectionsPerTenant });
  const draining = new AbortController();

  const app = express().disable('x-powered-by').disable('etag');
  const metrics = createMetrics('gateway');
  app.use(metrics.middleware);
  addGauges(metrics, { subscriptions, executor, operations, client, usage: spending });
  addPlanningGauges(metrics, planning);
  const readiness = Object.fromEntries(SUBGRAPHS.map((name) => [name, () => client.checkLive(name)]));
  addHealthRoutes(app, { readiness, metrics, logger, isDraining: () => draining.signal.aborted });
  app.use(beginTrace, cors(options.allowedOrigins));
  const admit = authenticateRequest(authenticate, options);
  const route = createOperationRoute({ ...options, gate, executor, authenticate, formatError, metrics });
  const shedding = startShedding(route, { ...options, metrics });
  const streamed = createStreamedOperations({ gate, executor, subscriptions, formatError, load: shedding.limit });
  const streaming = { operations: streamed, connections, callerOf, formatError, draining: draining.signal };
  addStreamRoutes(app, admit, streaming);
  app.get('/exports/:token', createExportRoute({ tenantUrl: options.subgraphUrls.tenant }));
  for (const name of FILE_SUBGRAPHS) {
    app.use(`/files/${name}`, admit, createFileRoute(name, { client, gate, callerOf }));
  }
  app.all(['/graphql', '/graphql/stream'], onlyPost);
  app.use(nothingHere, answerErrors(formatError));

  // Operations are served without express, which would cost as much as the rest.
  const http = createServer((req, res) => {
    if (req.method === 'POST' && req.url?.split('?', 1)[0] === '/graphql') shedding.serve(req, res);
    else app(req, res);
  });
  const sockets = startSocketServer(http, { ...options, operations: streamed, connections, authenticate });
  collectGarbage();
  const server = await listen(http, options);
  logger.info({ url: server.url }, 'The gateway listens');
  let drained: Promise<void> | undefined;
  const drain = async () => {
    draining.abort();
    shedding.stop();
    await Promise.all([sockets.drain(), server.drain()]);
    await spending.drain();
    await Promise.all([client.close(), planning.close()]);
    redis.disconnect();
  };
  return { ...server, drain: () => (drained ??= drain()) };
}

function addGauges(
  metrics: Metrics,
  {
    subscriptions,
    executor,
    operations,
    client,
    usage,
  }: {
    subscriptions: Subscriptions;
    executor: Executor;
    operations: Operations;
    client: SubgraphClient;
    usage: Usage;
  },
) {
  metrics.addGauge({
    name: 'kindred_gateway_subscriptions_open',
    help: 'Subscriptions that are open, over both transports.',
    read: () => subscriptions.activeCount(),
  });
  metrics.addGauge({
    name: 'kindred_gateway_plans_cached',
    help: 'Operations whose compiled plans are kept.',
    read: () => operations.preparedCount(),
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
  metrics.addGauge({
    name: 'kindred_gateway_fetches_batched',
    help: 'Fetches since the start that went in the request of another.',
    read: () => executor.stats().batchedFetches,
  });
  metrics.addGauge({
    name: 'kindred_gateway_circuits_open',
    help: 'Subgraphs that are spared now because half of their calls failed.',
    read: () => client.openCircuitCount(),
  });
  metrics.addGauge({
    name: 'kindred_gateway_usage_open',
    help: 'Entries of usage that are not in the ledger yet.',
    read: () => usage.openCount(),
  });
}

/** Both modes of the graphql-sse protocol; the token tells them apart. */
function addStreamRoutes(app: Express, admit: RequestHandler, options: ChannelOptions): void {
  const stream = createStreamRoute(options);
  const channels = createChannelRoutes(options);
  const body = express.json({ limit: STREAM_BODY_LIMIT });
  app.post('/graphql/stream', admit, body, (req, res, next) =>
    tokenOf(req) === undefined ? stream(req, res, next) : channels.subscribe(req, res, next),
  );
  app.put('/graphql/stream', admit, channels.reserve);
  app.delete('/graphql/stream', admit, channels.unsubscribe);
  app.get('/graphql/stream', (req, res, next) => (tokenOf(req) === undefined ? next() : channels.open(req, res, next)));
}

const onlyPost: RequestHandler = (_req, res) => {
  const error = { message: 'Operations are sent by POST.', extensions: { code: 'BAD_REQUEST' } };
  res
    .status(405)
    .set('allow', 'POST, OPTIONS')
    .json({ errors: [error] });
};

const nothingHere: RequestHandler = (_req, res) => {
  res.status(404).json({ errors: [{ message: 'There is nothing here.', extensions: { code: 'NOT_FOUND' } }] });
};

// The trace begins here: what a client sends as a trace, or as any internal header, is never read.
const beginTrace: RequestHandler = (_req, _res, next) => runInTrace(newTraceId(), next);

function authenticateRequest(
  authenticate: Authenticate,
  { trustedProxies }: Pick<GatewayOptions, 'trustedProxies'>,
): RequestHandler {
  return async (req, res, next) => {
    const credential = await authenticate({
      authorization: req.get('authorization'),
      apiKey: req.get('x-api-key'),
      origin: req.get('origin'),
    });
    res.locals.caller = { credential, address: addressOf(req, trustedProxies) } satisfies Caller;
    next();
  };
}

function callerOf(res: Response): Caller {
  return res.locals.caller as Caller;
}

async function createLimiter(redis: Redis, { logger, ratePolicy }: GatewayOptions): Promise<RateLimiter> {
  const shared = await createRedisRateStore(redis);
  const policyOf = ratePolicy === undefined ? ratesOfPlan : () => ratePolicy;
  return createRateLimiter({ shared, local: createLocalRateStore(), policyOf, logger });
}

/** Plans what is published before anybody asks for it. */
async function warm(operations: Operations, manifest: Manifest, logger: Logger): Promise<void> {
  for (const [digest, text] of manifest) {
    const prepared = await operations.prepare(text, undefined, { isPatient: true });
    if ('planned' in prepared) continue;
    const reasons = prepared.map(({ message }) => message);
    logger.warn({ digest, reasons }, 'A published document does not fit the schema');
  }
}
