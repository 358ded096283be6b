import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { listen } from '@kindred/service/http-server';
import { createLogger } from '@kindred/service/logger';
import type { ExecutionResult } from 'graphql';
import { expect, test } from 'vitest';
import { CALM, createWorld, randomOperations } from '../executor/test-comparison.ts';
import { composeContracts } from '../executor/test-federation.ts';
import type { TestOperation } from '../executor/test-operations.ts';
import { createStubSubgraph } from '../executor/test-subgraphs.ts';
import { type Theme, THEMES } from '../executor/test-themes.ts';
import { startSupergraphServer } from './supergraph-server.ts';

const ANYWHERE = { host: '127.0.0.1', port: 0 };
const WEATHER = { ...CALM, errors: 20, nulls: 40, seed: 7 };
const OPERATIONS = 25;
// What comes meanwhile gathers.
const SLOWNESS_MS = 100;
const HAS_REQUIRES = 'requires with arguments, chains and fragments';
const HAS_MUTATIONS = 'mutations in their order';

function listenerOf(answer: ReturnType<typeof createStubSubgraph>, slownessMs: number): RequestListener {
  const respond = async (req: IncomingMessage, res: ServerResponse) => {
    const { query, variables } = JSON.parse(await text(req)) as Pick<TestOperation, 'query'> & Partial<TestOperation>;
    await setTimeout(slownessMs);
    res.setHeader('content-type', 'application/json');
    // As a server that writes answers to be read: several lines each.
    res.end(JSON.stringify(await answer({ query, variables: { ...variables } }, WEATHER), null, 2));
  };
  return (req, res) => void respond(req, res);
}

/** Subgraphs that answer over HTTP, with our gateway and Apollo's before them. */
async function startGraph(contracts: Theme, slownessMs = 0) {
  await using started = new AsyncDisposableStack();
  let sdl = composeContracts(contracts);
  for (const [name, contract] of Object.entries(contracts)) {
    const answer = createStubSubgraph(name, contract);
    const server = await listen(createServer(listenerOf(answer, slownessMs)), ANYWHERE);
    started.defer(() => server.drain());
    sdl = sdl.replace(`name: "${name}", url: "http://stub"`, `name: "${name}", url: "${server.url}/of/${name}"`);
  }
  const ours = await startSupergraphServer(sdl, ANYWHERE);
  started.defer(() => ours.drain());
  const logger = createLogger('test', 'silent');
  const apollo = new ApolloServer({ gateway: new ApolloGateway({ supergraphSdl: sdl, logger }), logger });
  const { url: stockUrl } = await startStandaloneServer(apollo, { listen: ANYWHERE });
  started.defer(() => apollo.stop());
  const parts = started.move();
  return {
    ours: asker(`${ours.url}/graphql`),
    stock: asker(stockUrl),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function asker(url: string) {
  const headers = { 'content-type': 'application/json' };
  return async (body: object): Promise<ExecutionResult> => {
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await response.json()) as ExecutionResult;
  };
}

const whatCounts = ({ data = null, errors }: ExecutionResult) => ({ data, hasErrors: errors !== undefined });

test.each([HAS_REQUIRES, HAS_MUTATIONS])('any supergraph is served as by the stock gateway: %s', async (name) => {
  const contracts = THEMES[name] ?? {};
  await using graph = await startGraph(contracts);
  const world = createWorld(composeContracts(contracts), contracts);
  const operations = randomOperations(world, { count: OPERATIONS, seed: 5_000 });
  const answers = { ours: [] as object[], stock: [] as object[] };
  for (const operation of operations) {
    answers.ours.push(whatCounts(await graph.ours(operation)));
    answers.stock.push(whatCounts(await graph.stock(operation)));
  }
  expect(answers.ours).toEqual(answers.stock);
  expect(answers.ours.filter((answer) => 'data' in answer && answer.data !== null).length).toBeGreaterThan(
    OPERATIONS / 2,
  );
});

test('many at a time, introspection and wrong values are answered as well', async () => {
  await using graph = await startGraph(THEMES[HAS_REQUIRES] ?? {}, SLOWNESS_MS);
  const parcel = { query: 'query ($id: ID!) { parcel(id: $id) { id postage } }' };
  const parcels = Array.from({ length: 40 }, (_, id) => ({ ...parcel, variables: { id: String(id) } }));
  const got = await Promise.all(parcels.map(graph.ours));
  expect(got.map(whatCounts)).toEqual((await Promise.all(parcels.map(graph.stock))).map(whatCounts));
  expect(new Set(got.map(({ data }) => JSON.stringify(data))).size).toBeGreaterThan(4);
  const { data } = await graph.ours({ query: '{ __schema { queryType { name } } }' });
  expect(data).toEqual({ __schema: { queryType: { name: 'Query' } } });
  const { errors } = await graph.ours({ ...parcel, variables: {} });
  expect(errors?.map(({ message }) => message)).toEqual(['Variable "$id" of required type "ID!" was not provided.']);
});
