// One gateway under load in a process of its own: `ours` with authentication, limits and metrics on; `stock` is
// @apollo/gateway as it comes, with none of them; `stock-client` is its executor over our connections;
// `hive` is Hive Gateway as it comes.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import { createLogger } from '@kindred/service/logger';
import express from 'express';
import type { OperationContext } from '../src/context.ts';
import { createDataSources } from '../src/data-sources.ts';
import { startGateway } from '../src/gateway.ts';
import { createSubgraphClient } from '../src/subgraph-client.ts';
import { isSubgraphName, type SubgraphName } from '../src/subgraphs.ts';
import { forApolloGateway } from '../src/supergraph.ts';
import { loadHive } from './hive-packages.ts';

process.env.APOLLO_TELEMETRY_DISABLED = '1';
const PLENTY = { pointsPerSecond: 10_000_000, burst: 100_000_000 };
const [variant = 'ours', urls = '{}', redisUrl = '', hiveFolder = ''] = process.argv.slice(2);
const subgraphUrls = JSON.parse(urls) as Record<SubgraphName, string>;
const internalTokenSecret = 'a secret of the benchmark, long enough';
const logger = createLogger('bench', 'error');

async function startOurs(): Promise<string> {
  const options = {
    host: '127.0.0.1',
    port: 0,
    subgraphUrls,
    internalTokenSecret,
    allowedOrigins: [],
    production: true,
    redisUrl,
    persistedDocuments: [],
    trustedProxies: 0,
    // The same machinery with more in its buckets than a benchmark spends.
    ratePolicy: { credential: PLENTY, tenant: PLENTY, address: PLENTY, anonymousAddress: PLENTY },
    logger,
  };
  return `${(await startGateway(options)).url}/graphql`;
}

async function routedSupergraph(): Promise<string> {
  const sdl = forApolloGateway(await readFile(new URL('../supergraph.graphql', import.meta.url), 'utf8'));
  return sdl.replaceAll(
    /@join__graph\(name: "(\w+)", url: "[^"]*"\)/g,
    (_, name: SubgraphName) => `@join__graph(name: "${name}", url: "${subgraphUrls[name]}/graphql")`,
  );
}

/** Hive Gateway with its planner in Rust, as it comes. */
async function startHive(): Promise<string> {
  const { createGatewayRuntime, unifiedGraphHandler } = await loadHive(hiveFolder);
  const create = createGatewayRuntime as (options: object) => RequestListener;
  const supergraph = await routedSupergraph();
  return await listenAt(createServer(create({ supergraph, unifiedGraphHandler, logging: false, maskedErrors: false })));
}

async function listenAt(server: Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
}

async function startStock(): Promise<string> {
  const dataSources = createDataSources(createSubgraphClient({ subgraphUrls, internalTokenSecret }));
  const gateway = new ApolloGateway({
    supergraphSdl: await routedSupergraph(),
    ...(variant === 'stock-client' && {
      buildService: ({ name }) => {
        if (!isSubgraphName(name)) throw new Error(`The supergraph names "${name}", which is no subgraph`);
        return dataSources[name];
      },
    }),
    logger,
  });
  const apollo = new ApolloServer<OperationContext>({ gateway, logger, introspection: false });
  await apollo.start();
  const context = async (): Promise<OperationContext> => ({
    viewer: { kind: 'anonymous', scopes: [] },
    traceId: '0'.repeat(32),
    signal: new AbortController().signal,
    deadlineAt: Infinity,
  });
  const app = express().use('/graphql', express.json(), expressMiddleware(apollo, { context }));
  return await listenAt(createServer(app));
}

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system, rssMiB: process.memoryUsage.rss() / 2 ** 20 });
});
process.on('disconnect', () => process.exit());
const start = variant === 'ours' ? startOurs : variant === 'hive' ? startHive : startStock;
process.send?.({ url: await start() });
