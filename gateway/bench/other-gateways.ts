import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import type { Logger } from '@kindred/service/logger';
import express from 'express';
import type { OperationContext } from '../src/context.ts';
import { createDataSources } from '../src/data-sources.ts';
import { createSubgraphClient, type SubgraphClientOptions } from '../src/subgraph-client.ts';
import { isSubgraphName, type SubgraphName } from '../src/subgraphs.ts';
import { forApolloGateway } from '../src/supergraph.ts';
import { loadHive } from './hive-packages.ts';

type Urls = Record<SubgraphName, string>;

/** @apollo/gateway, behind @apollo/server, over its own connections or over ours. */
export async function startStock(
  options: SubgraphClientOptions & { logger: Logger; hasOurClient: boolean },
): Promise<string> {
  const { logger } = options;
  const dataSources = createDataSources(createSubgraphClient(options));
  const gateway = new ApolloGateway({
    supergraphSdl: await routedSupergraph(options.subgraphUrls),
    ...(options.hasOurClient && {
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

/** Hive Gateway with its planner in Rust, as it comes. */
export async function startHive(subgraphUrls: Urls, folder: string): Promise<string> {
  const { createGatewayRuntime, unifiedGraphHandler } = await loadHive(folder);
  const create = createGatewayRuntime as (options: object) => RequestListener;
  const supergraph = await routedSupergraph(subgraphUrls);
  return await listenAt(createServer(create({ supergraph, unifiedGraphHandler, logging: false, maskedErrors: false })));
}

async function routedSupergraph(subgraphUrls: Urls): Promise<string> {
  const sdl = forApolloGateway(await readFile(new URL('../supergraph.graphql', import.meta.url), 'utf8'));
  return sdl.replaceAll(
    /@join__graph\(name: "(\w+)", url: "[^"]*"\)/g,
    (_, name: SubgraphName) => `@join__graph(name: "${name}", url: "${subgraphUrls[name]}/graphql")`,
  );
}

async function listenAt(server: Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
}
