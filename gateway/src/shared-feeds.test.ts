import { encodeGlobalId, newId } from '@kindred/domain/ids';
import { expect, test, vi } from 'vitest';
import { overEventStreams, overSockets, type Subscribed } from './test-clients.ts';
import { startTestGraph, type TestGraph } from './test-graph.ts';

/** On a busy machine twenty sockets take seconds to open. */
const PATIENT = { timeout: 15_000 };
vi.setConfig({ testTimeout: 60_000 });
const PROGRESS = `subscription ($after: Int) {
  trainingProgress(runId: "run_1", afterSequence: $after) { ...Line run { model { tenant { id name } } } }
}
fragment Line on TrainingEvent { number: sequence message }`;

interface Event {
  number: number;
  message: string;
  run: { model: { tenant: { id: string } } };
}

const upstreams = (graph: TestGraph, count: number) => expect.poll(() => graph.world.openStreams, PATIENT).toBe(count);
const completions = ({ world }: TestGraph) => world.calls.filter(({ field }) => field === 'Tenant').length;
const takeEvent = async (client: Subscribed): Promise<Event> => {
  const { value } = await client.next();
  return (value as { data: { trainingProgress: Event } }).data.trainingProgress;
};
const take = async (client: Subscribed): Promise<number> => (await takeEvent(client)).number;

/** Sockets that have all seen event 3, told while each still had an upstream of its own. */
async function followTogether(graph: TestGraph, authorizations: readonly string[], after = 2): Promise<Subscribed[]> {
  const clients = authorizations.map((authorization) =>
    overSockets(graph.gateway.url, { query: PROGRESS, variables: { after }, authorization }),
  );
  const firsts = clients.map(take);
  await upstreams(graph, clients.length);
  graph.world.emitEvent(3);
  expect(await Promise.all(firsts)).toEqual(clients.map(() => 3));
  return clients;
}

async function startKeepingGraph(): Promise<TestGraph> {
  const graph = await startTestGraph();
  graph.world.keepsEvents = true;
  return graph;
}

test('who follow one run with one credential share an upstream, and each event is completed once for all', async () => {
  await using graph = await startKeepingGraph();
  const authorization = `Bearer ${await graph.signSession()}`;
  const clients = await followTogether(
    graph,
    Array.from({ length: 20 }, () => authorization),
  );
  await upstreams(graph, 1);
  const before = completions(graph);
  for (let sequence = 4; sequence <= 8; sequence++) graph.world.emitEvent(sequence);
  for (const client of clients) {
    for (let sequence = 4; sequence <= 8; sequence++) expect(await take(client)).toBe(sequence);
  }
  expect(completions(graph) - before).toBe(5);
  for (const client of clients) await client.cancel();
  await upstreams(graph, 0);
});

test('two accounts of a tenant, and two tenants, share nothing', async () => {
  await using graph = await startKeepingGraph();
  const other = newId('Tenant');
  const credentials = [{}, {}, { tenant: other }];
  const tokens = await Promise.all(credentials.map(async (claims) => `Bearer ${await graph.signSession(claims)}`));
  const clients = await followTogether(graph, tokens);
  graph.world.emitEvent(4);
  const tenants: string[] = [];
  for (const client of clients) tenants.push((await takeEvent(client)).run.model.tenant.id);
  const own = encodeGlobalId('Tenant', graph.world.tenantId);
  expect(tenants).toEqual([own, own, encodeGlobalId('Tenant', other)]);
  expect(graph.world.openStreams).toBe(3);
});

test('what is selected, or asked with other variables, is shared with nobody who wants something else', async () => {
  await using graph = await startKeepingGraph();
  const authorization = `Bearer ${await graph.signSession()}`;
  const query = `subscription ($after: Int, $long: Boolean!) {
    trainingProgress(runId: "run_1", afterSequence: $after) { sequence message @include(if: $long) }
  }`;
  const clients = [true, false].map((long) =>
    overSockets(graph.gateway.url, { query, variables: { after: 2, long }, authorization }),
  );
  const wanted = (sequence: number) => [{ sequence, message: `line ${sequence}` }, { sequence }];
  const nextOfAll = () => Promise.all(clients.map(async (client) => (await client.next()).value));
  const resultsOf = (sequence: number) => wanted(sequence).map((trainingProgress) => ({ data: { trainingProgress } }));
  const firsts = nextOfAll();
  await upstreams(graph, 2);
  graph.world.emitEvent(3);
  expect(await firsts).toEqual(resultsOf(3));
  graph.world.emitEvent(4);
  expect(await nextOfAll()).toEqual(resultsOf(4));
  expect(graph.world.openStreams).toBe(2);
});

test('who comes later gets what was told before from an upstream of its own, then shares', async () => {
  await using graph = await startKeepingGraph();
  const authorization = `Bearer ${await graph.signSession()}`;
  const early = await followTogether(graph, [authorization]);
  const takeEarly = () => Promise.all(early.map(take));
  for (let sequence = 4; sequence <= 200; sequence++) {
    graph.world.emitEvent(sequence);
    expect(await takeEarly()).toEqual([sequence]);
  }
  const late = overEventStreams(graph.gateway.url, { query: PROGRESS, variables: { after: 1 }, authorization });
  for (let sequence = 2; sequence <= 200; sequence++) expect(await take(late)).toBe(sequence);
  await upstreams(graph, 1);
  graph.world.emitEvent(201);
  expect(await takeEarly()).toEqual([201]);
  expect(await take(late)).toBe(201);
});

test('a shared upstream outlives the one who opened it, and ends with the last who follows', async () => {
  await using graph = await startKeepingGraph();
  const authorization = `Bearer ${await graph.signSession()}`;
  const [first, second, third] = await followTogether(graph, [authorization, authorization, authorization]);
  await upstreams(graph, 1);
  await first?.cancel();
  await second?.cancel();
  graph.world.emitEvent(4);
  expect(third && (await take(third))).toBe(4);
  expect(graph.world.openStreams).toBe(1);
  await third?.cancel();
  await upstreams(graph, 0);
});

test('a session that ends takes its own subscription with it, not those that share its upstream', async () => {
  await using graph = await startKeepingGraph();
  const sub = newId('Account');
  const short = `Bearer ${await graph.signSession({ sub }, { expiresIn: '8s' })}`;
  const long = `Bearer ${await graph.signSession({ sub })}`;
  const [ending, staying] = await followTogether(graph, [short, long]);
  await upstreams(graph, 1);
  await expect(ending?.next()).rejects.toMatchObject({ code: 4403 });
  graph.world.emitEvent(4);
  expect(staying && (await take(staying))).toBe(4);
});

test('a source that fails is told to each who follows, and who subscribes again goes on where it was', async () => {
  await using graph = await startKeepingGraph();
  const authorization = `Bearer ${await graph.signSession()}`;
  const clients = await followTogether(graph, [authorization, authorization]);
  await upstreams(graph, 1);
  graph.world.bus.emit('event', new Error('connection to 10.0.0.7 lost'));
  for (const client of clients) {
    expect((await client.next()).value).toMatchObject({
      errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    });
    expect((await client.next()).done).toBe(true);
  }
  await upstreams(graph, 0);
  const again = overSockets(graph.gateway.url, { query: PROGRESS, variables: { after: 2 }, authorization });
  expect(await take(again)).toBe(3);
});
