// Our gateway beside @apollo/gateway and Hive Gateway on the same subgraphs, stubs or the real ones, in one run:
// `node gateway/bench/gateway.ts [--real] [--rounds N] [--seconds N] [--credentials one|own] [--no-hive] [--json FILE]`.
// They take turns, since the machine does not stay as quick as it is: figures are medians of the rounds, and ratios those of the
// ratios within each. Ratios count more than absolutes (ours asks the stubs over channels, as it asks its own subgraphs; the
// others over HTTP, as they come). Each gateway has one core, the same for all, where the machine has another for what asks
// and answers it. CPU time per request is what depends least on what else happens.
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { LoadConnections } from '@kindred/testing/load-connections';
import { median, quantile } from '@kindred/testing/quantile';
import { ask } from './ask.ts';
import { installHive } from './hive-packages.ts';
import { CAN_PIN, pinOther } from './pin.ts';
import { bodiesOf, QUERIES, REAL_QUERIES } from './queries.ts';
import { type BenchGateway, startGatewayProcess } from './start-gateway.ts';
import { createStolenPercent } from './stolen-time.ts';
import { startRealSubgraphs, startStubs, type SubgraphsUnderTest } from './subgraphs-under-test.ts';

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    // Gateways then sign what they ask: their subgraphs check it, and cost more than the gateway.
    real: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    // Of each gateway in each round.
    seconds: { type: 'string', default: '1' },
    json: { type: 'string' },
    // A tenant's server asks with one credential; with one for each connection nothing can be batched.
    credentials: { type: 'string', default: 'one' },
    // Hive Gateway is installed from npm the first time.
    hive: { type: 'boolean', default: true },
  },
});
const ROUNDS = Number(options.rounds);
const SECONDS = Number(options.seconds);
// Until what runs often is machine code.
const WARM_UP_SECONDS = 3;
// Before each turn: others had the caches.
const SETTLE_SECONDS = 0.2;
const HIVE_FOLDER = options.hive ? installHive() : undefined;
const VARIANTS = ['ours', 'stock', 'stock-client', ...(HIVE_FOLDER === undefined ? [] : ['hive'])];
const CONNECTIONS = [32, 128];

interface Figures {
  requestsPerSecond: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  cpuUsPerRequest: number;
  /** Null where the subgraphs do not count. */
  subRequests: number | null;
  rssMiB: number;
  /** What the host of this machine took of all cores meanwhile. */
  stolenPercent: number;
  failures: number;
}

interface Result extends Figures {
  query: string;
  connections: number;
  variant: string;
}

interface Comparison {
  query: string;
  connections: number;
  against: string;
  requestsPerSecond: number;
  cpu: number;
}

interface Gateway extends BenchGateway {
  variant: string;
}

/** Each connection asks as soon as it is answered, each time for another user: no two requests ask for the same. */
async function load(
  url: string,
  { query, connections, seconds }: { query: string; connections: number; seconds: number },
) {
  const { origin, pathname: path } = new URL(url);
  const open = new LoadConnections(origin, { connections });
  const bodyFor = bodiesOf(query);
  const latencies: number[] = [];
  let failures = 0;
  const endAt = performance.now() + seconds * 1000;
  const connection = async (index: number) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${subgraphs.tokens[index]}` };
    for (let count = 0; performance.now() < endAt; count++) {
      const body = bodyFor(subgraphs.userOf(index, count));
      const startedAt = performance.now();
      const { statusCode, text } = await open.post({ path, headers, body });
      latencies.push(performance.now() - startedAt);
      if (statusCode !== 200 || text.includes('"errors"')) failures += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, index) => connection(index)));
  open.close();
  return { latencies: latencies.toSorted((a, b) => a - b), failures };
}

async function measure(gateway: Gateway, test: { query: string; connections: number }): Promise<Figures> {
  await load(gateway.url, { ...test, seconds: SETTLE_SECONDS });
  const requestsBefore = await subgraphs.countRequests();
  const before = await ask<{ cpuUs: number }>(gateway.child, {});
  const readStolen = createStolenPercent();
  const { latencies, failures } = await load(gateway.url, { ...test, seconds: SECONDS });
  const stolenPercent = readStolen();
  const after = await ask<{ cpuUs: number; rssMiB: number }>(gateway.child, {});
  const requestsAfter = await subgraphs.countRequests();
  const count = latencies.length;
  return {
    requestsPerSecond: count / SECONDS,
    p50Ms: quantile(latencies, 0.5),
    p95Ms: quantile(latencies, 0.95),
    p99Ms: quantile(latencies, 0.99),
    cpuUsPerRequest: (after.cpuUs - before.cpuUs) / count,
    subRequests:
      requestsBefore === undefined || requestsAfter === undefined ? null : (requestsAfter - requestsBefore) / count,
    rssMiB: after.rssMiB,
    stolenPercent,
    failures,
  };
}

function print(results: readonly Result[]): void {
  console.log(
    'query                     conn  gateway          req/s   p50 ms   p95 ms   p99 ms  CPU us/req  sub-req  RSS MiB stolen %  failed',
  );
  for (const { query, connections, variant, ...figures } of results) {
    const { requestsPerSecond, p50Ms, p95Ms, p99Ms, cpuUsPerRequest, subRequests, rssMiB, stolenPercent, failures } =
      figures;
    const cells = [
      requestsPerSecond.toFixed(0),
      p50Ms.toFixed(1),
      p95Ms.toFixed(1),
      p99Ms.toFixed(1),
      cpuUsPerRequest.toFixed(0),
    ];
    const rest = [subRequests?.toFixed(2) ?? '-', rssMiB.toFixed(0), stolenPercent.toFixed(1), String(failures)]
      .map((cell) => cell.padStart(8))
      .join(' ');
    console.log(
      `${query.padEnd(25)} ${String(connections).padStart(4)}  ${variant.padEnd(13)} ${cells.map((cell) => cell.padStart(8)).join(' ')}    ${rest}`,
    );
  }
}

function medianOf(rounds: readonly Figures[]): Figures {
  const of = (name: Exclude<keyof Figures, 'subRequests'>) => median(rounds.map((figures) => figures[name]));
  const subRequests = rounds.flatMap((figures) => figures.subRequests ?? []);
  return {
    requestsPerSecond: of('requestsPerSecond'),
    p50Ms: of('p50Ms'),
    p95Ms: of('p95Ms'),
    p99Ms: of('p99Ms'),
    cpuUsPerRequest: of('cpuUsPerRequest'),
    subRequests: subRequests.length === 0 ? null : median(subRequests),
    rssMiB: of('rssMiB'),
    stolenPercent: of('stolenPercent'),
    failures: rounds.reduce((sum, { failures }) => sum + failures, 0),
  };
}

/** What is asked of each gateway. */
interface Test {
  name: string;
  query: string;
  connections: number;
}

/** All gateways in turns, the first of which is ours. */
async function runTest(gateways: readonly Gateway[], test: Test) {
  for (const { url } of gateways) await load(url, { ...test, seconds: WARM_UP_SECONDS });
  const rounds: Figures[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const turn: Figures[] = [];
    for (const gateway of gateways) turn.push(await measure(gateway, test));
    rounds.push(turn);
  }
  const { name: query, connections } = test;
  const figuresOf = (place: number) => rounds.flatMap((turn) => turn[place] ?? []);
  const results: Result[] = gateways.map(({ variant }, place) => ({
    query,
    connections,
    variant,
    ...medianOf(figuresOf(place)),
  }));
  const comparisons: Comparison[] = gateways.slice(1).map(({ variant: against }, place) => {
    const others = figuresOf(place + 1);
    const ratio = (of: (figures: Figures) => number) =>
      median(figuresOf(0).map((ours, round) => of(ours) / of(others[round] ?? ours)));
    return {
      query,
      connections,
      against,
      requestsPerSecond: ratio(({ requestsPerSecond }) => requestsPerSecond),
      cpu: 1 / ratio(({ cpuUsPerRequest }) => cpuUsPerRequest),
    };
  });
  return { results, comparisons };
}

// Whatever it starts stays there too, unless it is told otherwise.
pinOther(process.pid);
const start = options.real ? startRealSubgraphs : startStubs;
const subgraphs: SubgraphsUnderTest = await start({
  connections: Math.max(...CONNECTIONS),
  areOne: options.credentials === 'one',
});
const gateways: Gateway[] = await Promise.all(
  VARIANTS.map(async (variant) => ({ variant, ...(await startGatewayProcess(variant, subgraphs, HIVE_FOLDER)) })),
);
const loadBefore = loadavg();
const results: Result[] = [];
const comparisons: Comparison[] = [];
for (const [name, query] of Object.entries(options.real ? REAL_QUERIES : QUERIES)) {
  for (const connections of CONNECTIONS) {
    const outcome = await runTest(gateways, { name, query, connections });
    results.push(...outcome.results);
    comparisons.push(...outcome.comparisons);
  }
}
for (const { child } of gateways) child.disconnect();
subgraphs[Symbol.dispose]();
print(results);
for (const { query, connections, against, requestsPerSecond, cpu } of comparisons) {
  console.log(
    `${query}, ${connections} connections: ${requestsPerSecond.toFixed(1)} x the requests of ${against}, at 1/${cpu.toFixed(1)} of its CPU time each`,
  );
}
const machine = {
  subgraphs: options.real ? 'real' : 'stubs',
  rounds: ROUNDS,
  isPinned: CAN_PIN,
  credentials: options.credentials,
  cores: cpus().length,
  loadBefore,
  loadAfter: loadavg(),
  node: process.version,
};
console.log(`${machine.cores} cores, load ${loadBefore.map((value) => value.toFixed(1)).join(' ')} before`);
if (options.json !== undefined)
  await writeFile(options.json, `${JSON.stringify({ machine, results, ratios: comparisons }, null, 2)}\n`);
