// Our gateway beside @apollo/gateway and Hive Gateway on the same stub subgraphs, in one run:
// `node gateway/bench/gateway.ts [--seconds N] [--credentials one|own] [--no-hive] [--json FILE]`. Ratios count more
// than absolutes (ours asks the stubs over channels, as it asks its own subgraphs; the others over HTTP, as they come): load,
// subgraphs and gateway share the machine's cores, and CPU time per request is what depends least
// on what else they do.
import { type ChildProcess, fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { LoadConnections } from '@kindred/testing/load-connections';
import { ask } from './ask.ts';
import { GATEWAY_FLAGS } from './gateway-flags.ts';
import { installHive } from './hive-packages.ts';
import { QUERIES } from './queries.ts';
import { startRedis } from './redis.ts';
import { createBenchTokens } from './tokens.ts';

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    seconds: { type: 'string', default: '3' },
    json: { type: 'string' },
    // A tenant's server asks with one credential; with one for each connection nothing can be batched.
    credentials: { type: 'string', default: 'one' },
    // Hive Gateway is installed from npm the first time.
    hive: { type: 'boolean', default: true },
  },
});
const SECONDS = Number(options.seconds);
// Until what runs often is machine code.
const WARM_UP_SECONDS = 3;
const HIVE_FOLDER = options.hive ? installHive() : undefined;
const VARIANTS = ['ours', 'stock', 'stock-client', ...(HIVE_FOLDER === undefined ? [] : ['hive'])];
const CONNECTIONS = [32, 128];

interface Result {
  query: string;
  connections: number;
  variant: string;
  requestsPerSecond: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  cpuUsPerRequest: number;
  subRequests: number;
  rssMiB: number;
  failures: number;
}

/** Each connection asks as soon as it is answered, each time for another user: no two requests ask for the same. */
async function load(
  url: string,
  { query, connections, seconds, tokens }: { query: string; connections: number; seconds: number; tokens: string[] },
) {
  const { origin, pathname: path } = new URL(url);
  const open = new LoadConnections(origin, { connections });
  const latencies: number[] = [];
  let failures = 0;
  const endAt = performance.now() + seconds * 1000;
  const connection = async (index: number) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${tokens[index]}` };
    for (let count = 0; performance.now() < endAt; count++) {
      const body = JSON.stringify({ query, variables: { user: `u${index}-${count}` } });
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

async function measure(
  gateway: { child: ChildProcess; url: string },
  stubs: ChildProcess,
  test: { query: string; connections: number; tokens: string[] },
) {
  await load(gateway.url, { ...test, seconds: WARM_UP_SECONDS });
  const stubsBefore = await ask<{ requests: number }>(stubs, {});
  const before = await ask<{ cpuUs: number }>(gateway.child, {});
  const { latencies, failures } = await load(gateway.url, { ...test, seconds: SECONDS });
  const after = await ask<{ cpuUs: number; rssMiB: number }>(gateway.child, {});
  const stubsAfter = await ask<{ requests: number }>(stubs, {});
  const count = latencies.length;
  const quantile = (share: number) => latencies[Math.min(count - 1, Math.floor(count * share))] ?? 0;
  return {
    requestsPerSecond: count / SECONDS,
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
    p99Ms: quantile(0.99),
    cpuUsPerRequest: (after.cpuUs - before.cpuUs) / count,
    subRequests: (stubsAfter.requests - stubsBefore.requests) / count,
    rssMiB: after.rssMiB,
    failures,
  };
}

function print(results: readonly Result[]): void {
  console.log(
    'query                     conn  gateway          req/s   p50 ms   p95 ms   p99 ms  CPU us/req  sub-req  RSS MiB  failed',
  );
  for (const { query, connections, variant, ...figures } of results) {
    const { requestsPerSecond, p50Ms, p95Ms, p99Ms, cpuUsPerRequest, subRequests, rssMiB, failures } = figures;
    const cells = [
      requestsPerSecond.toFixed(0),
      p50Ms.toFixed(1),
      p95Ms.toFixed(1),
      p99Ms.toFixed(1),
      cpuUsPerRequest.toFixed(0),
    ];
    const rest = [subRequests.toFixed(2), rssMiB.toFixed(0), String(failures)]
      .map((cell) => cell.padStart(8))
      .join(' ');
    console.log(
      `${query.padEnd(25)} ${String(connections).padStart(4)}  ${variant.padEnd(13)} ${cells.map((cell) => cell.padStart(8)).join(' ')}    ${rest}`,
    );
  }
}

function ratios(results: readonly Result[]) {
  return results
    .filter(({ variant }) => variant === 'ours')
    .flatMap((ours) =>
      results
        .filter(
          ({ variant, query, connections }) =>
            variant !== 'ours' && query === ours.query && connections === ours.connections,
        )
        .map((other) => ({
          query: ours.query,
          connections: ours.connections,
          against: other.variant,
          requestsPerSecond: ours.requestsPerSecond / other.requestsPerSecond,
          cpu: other.cpuUsPerRequest / ours.cpuUsPerRequest,
        })),
    );
}

const redis = await startRedis();
const { tokens, publicKey } = await createBenchTokens({
  count: Math.max(...CONNECTIONS),
  areOne: options.credentials === 'one',
});
const stubs = fork(new URL('stub-subgraphs.ts', import.meta.url));
const { urls } = await ask<{ urls: Record<string, string> }>(stubs);
await ask(stubs, { publicKey });
const gateways = await Promise.all(
  VARIANTS.map(async (variant) => {
    const args = [variant, JSON.stringify(urls), redis.url, HIVE_FOLDER ?? ''];
    // As all of them are deployed.
    const env = { ...process.env, NODE_ENV: 'production' };
    const execArgv = variant === 'ours' ? GATEWAY_FLAGS : [];
    const child = fork(new URL('gateway-process.ts', import.meta.url), args, { env, execArgv });
    return { variant, child, ...(await ask<{ url: string }>(child)) };
  }),
);
const loadBefore = loadavg();
const results: Result[] = [];
for (const [name, query] of Object.entries(QUERIES)) {
  for (const connections of CONNECTIONS) {
    for (const gateway of gateways) {
      results.push({
        query: name,
        connections,
        variant: gateway.variant,
        ...(await measure(gateway, stubs, { query, connections, tokens })),
      });
    }
  }
}
for (const { child } of gateways) child.disconnect();
stubs.disconnect();
redis.stop();
print(results);
const compared = ratios(results);
for (const { query, connections, against, requestsPerSecond, cpu } of compared) {
  console.log(
    `${query}, ${connections} connections: ${requestsPerSecond.toFixed(1)} x the requests of ${against}, at 1/${cpu.toFixed(1)} of its CPU time each`,
  );
}
const machine = {
  credentials: options.credentials,
  cores: availableParallelism(),
  loadBefore,
  loadAfter: loadavg(),
  node: process.version,
};
console.log(`${machine.cores} cores, load ${loadBefore.map((value) => value.toFixed(1)).join(' ')} before`);
if (options.json !== undefined)
  await writeFile(options.json, `${JSON.stringify({ machine, results, ratios: compared }, null, 2)}\n`);
