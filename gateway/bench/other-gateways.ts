import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { expressMiddleware } from '@as-integrations/express5';
import { INTERNAL_TOKEN_HEADER, signInternalToken } from '@kindred/service/internal-token';
import type { Logger } from '@kindred/service/logger';
import express from 'express';
import type { OperationContext } from '../src/context.ts';
import { createDataSources } from '../src/data-sources.ts';
import { createSubgraphClient } from '../src/subgraph-client.ts';
import { isSubgraphName, SUBGRAPHS, type SubgraphName } from '../src/subgraphs.ts';
import { forApolloGateway } from '../src/supergraph.ts';
import { loadHive } from './hive-packages.ts';
import type { GatewaySettings } from './start-gateway.ts';

/** @apollo/gateway, behind @apollo/server, over its own connections or over ours. */
export async function startStock(settings: GatewaySettings, logger: Logger): Promise<string> {
  const { viewer = { kind: 'anonymous', scopes: [] } } = settings;
  const gateway = new ApolloGateway({
    supergraphSdl: await routedSupergraph(settings.urls),
    buildService: buildServiceOf(settings),
    logger,
  });
  const apollo = new ApolloServer<OperationContext>({ gateway, logger, introspection: false });
  await apollo.start();
  const context = async (): Promise<OperationContext> => ({
    viewer,
    traceId: '0'.repeat(32),
    signal: new AbortController().signal,
    deadlineAt: Infinity,
  });
  const app = express().use('/graphql', express.json(), expressMiddleware(apollo, { context }));
  return await listenAt(createServer(app));
}

function buildServiceOf(settings: GatewaySettings) {
  const { variant, urls: subgraphUrls, internalTokenSecret } = settings;
  if (variant === 'stock-client') {
    const dataSources = createDataSources(createSubgraphClient({ subgraphUrls, internalTokenSecret }));
    return ({ name }: { name: string }) => dataSources[knownName(name)];
  }
  return ({ name, url }: { name: string; url?: string }) => new SignedDataSource(knownName(name), url, settings);
}

/** As it comes, but that each request is signed, where the subgraphs want that. */
class SignedDataSource extends RemoteGraphQLDataSource {
  constructor(name: SubgraphName, url: string | undefined, settings: GatewaySettings) {
    super(url === undefined ? {} : { url });
    const send = this.fetcher;
    this.fetcher = (to, init) =>
      send(to, { ...init, headers: { ...init?.headers, ...signatureOf(name, init?.body, settings) } });
  }
}

function signatureOf(audience: SubgraphName, body: unknown, { viewer, internalTokenSecret }: GatewaySettings) {
  if (viewer === undefined) return {};
  if (typeof body !== 'string') throw new Error(`Wanted the text of a request to sign, got ${typeof body}`);
  return { [INTERNAL_TOKEN_HEADER]: signInternalToken(internalTokenSecret, { audience, viewer, body }) };
}

interface HiveFetch {
  url: string;
  options: { headers: Record<string, string>; body?: unknown };
  setOptions: (options: HiveFetch['options']) => void;
}

/** Hive Gateway with its planner in Rust, as it comes, but for the signatures. */
export async function startHive(settings: GatewaySettings): Promise<string> {
  const { createGatewayRuntime, unifiedGraphHandler } = await loadHive(settings.hiveFolder ?? '');
  const create = createGatewayRuntime as (options: object) => RequestListener;
  const supergraph = await routedSupergraph(settings.urls);
  const nameAt = new Map(SUBGRAPHS.map((name) => [new URL(settings.urls[name]).host, name]));
  const onFetch = ({ url, options, setOptions }: HiveFetch): void => {
    const name = nameAt.get(new URL(url).host);
    if (name === undefined) return;
    setOptions({ ...options, headers: { ...options.headers, ...signatureOf(name, options.body, settings) } });
  };
  const plugins = settings.viewer === undefined ? undefined : () => [{ onFetch }];
  return await listenAt(
    createServer(create({ supergraph, unifiedGraphHandler, logging: false, maskedErrors: false, plugins })),
  );
}

function knownName(name: string): SubgraphName {
  if (!isSubgraphName(name)) throw new Error(`The supergraph names "${name}", which is no subgraph`);
  return name;
}

async function routedSupergraph(subgraphUrls: GatewaySettings['urls']): Promise<string> {
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
