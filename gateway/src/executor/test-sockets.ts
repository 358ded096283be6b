import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { listen } from '@kindred/service/http-server';
import { createLogger } from '@kindred/service/logger';
import { parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { Credential } from '../auth.ts';
import { createConnectionLimits } from '../connection-limits.ts';
import { createDocuments } from '../documents.ts';
import { createGatewayFormatError } from '../format-error.ts';
import { createOperations } from '../operations.ts';
import { createLoadLimit, type LoadLimit } from '../overload/load-limit.ts';
import { createPlanOperation } from '../planning/plan-operation.ts';
import { createSlowCallers } from '../planning/slow-callers.ts';
import { createLocalRateStore } from '../rate-limit/local-rate-store.ts';
import { createRateLimiter } from '../rate-limit/rate-limiter.ts';
import { startSocketServer } from '../socket-server.ts';
import { createStreamedOperations, type StreamedOperations } from '../streamed-operations.ts';
import { SUBGRAPHS } from '../subgraphs.ts';
import { buildSupergraph } from '../supergraph.ts';
import { createWorld, type World } from './test-comparison.ts';

export const ANYBODY: Credential = {
  viewer: { kind: 'anonymous', scopes: [] },
  publishedOnly: false,
  validForMs: () => null,
  recheck: async () => undefined,
};
const MUCH = { pointsPerSecond: 1e9, burst: 1e9 };

export async function readGraph(): Promise<{ supergraphSdl: string; world: World }> {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
  const supergraphSdl = await read('../../supergraph.graphql');
  const contracts = await Promise.all(
    SUBGRAPHS.map(async (name) => [name, await read(`../../../subgraphs/${name}/schema.graphql`)] as const),
  );
  return { supergraphSdl, world: createWorld(supergraphSdl, Object.fromEntries(contracts)) };
}

/** What sockets serve before the stub subgraphs of the property tests; nobody's points run out, and how they are spent is told. */
export function createTestOperations(
  { supergraphSdl, world: { executor } }: { supergraphSdl: string; world: World },
  load: Pick<LoadLimit, 'begin' | 'end'>,
): { operations: StreamedOperations; spent: string[] } {
  const logger = createLogger('test', 'fatal');
  const planOperation = createPlanOperation(buildSupergraph(supergraphSdl));
  const planner = async ({ query, operationName }: { query: string; operationName: string | undefined }) =>
    planOperation(parse(query), operationName);
  const local = createLocalRateStore();
  const policy = { credential: MUCH, tenant: MUCH, address: MUCH, anonymousAddress: MUCH };
  const spent: string[] = [];
  const gate = {
    operations: createOperations(executor, { planner, hideSchema: false }),
    documents: createDocuments(new Map(), { find: async () => null }),
    limiter: createRateLimiter({ shared: local, local, policyOf: () => policy, logger }),
    spending: {
      begin: async () => ({
        plan: null,
        take: async () => undefined,
        cancel: () => void spent.push('cancelled'),
        settle: () => void spent.push('settled'),
      }),
    },
    slowCallers: createSlowCallers(),
  };
  const formatError = createGatewayFormatError(logger, { hideSchema: false });
  const nothing = () => {
    throw new Error('Nothing is subscribed here');
  };
  const subscriptions = { plan: nothing, subscribe: nothing };
  return { operations: createStreamedOperations({ gate, executor, subscriptions, formatError, load }), spent };
}

/** A gateway's sockets, with a client. */
export async function serveSockets(graph: { supergraphSdl: string; world: World }) {
  const load = createLoadLimit();
  const { operations, spent } = createTestOperations(graph, load);
  const http = createServer();
  const sockets = startSocketServer(http, {
    operations,
    connections: createConnectionLimits(),
    authenticate: async () => ANYBODY,
    allowedOrigins: [],
    trustedProxies: 0,
    logger: createLogger('test', 'fatal'),
  });
  const server = await listen(http, { host: '127.0.0.1', port: 0 });
  const client = createClient({ url: `${server.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket });
  return {
    client,
    load,
    spent,
    [Symbol.asyncDispose]: async () => {
      await client.dispose();
      await sockets.drain();
      await server.drain();
    },
  };
}
