// What a call of the gateway to a subgraph costs at both ends, over channels and over HTTP, and what vouching for it does:
// `npm run bench:channel [-- --seconds N] [--json FILE]`. The two ways take turns on the same stub subgraph; CPU time for a
// call is what depends least on what else the machine does.
import { fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { newId } from '@kindred/domain/ids';
import { scopesOfRole, type Viewer } from '@kindred/domain/viewer';
import { admitCalls } from '@kindred/service/admit-calls';
import { createCallSeal } from '@kindred/service/call-seal';
import { signInternalToken, verifyInternalToken } from '@kindred/service/internal-token';
import { CHANNEL_REQUEST, readCall, writeCall } from '@kindred/service/operation-channel';
import { traceparent } from '@kindred/service/trace';
import { median } from '@kindred/testing/quantile';
import { createSubgraphClient } from '../src/subgraph-client.ts';
import type { SubgraphName } from '../src/subgraphs.ts';
import { ask } from './ask.ts';

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '2' }, json: { type: 'string' } },
});
const SECONDS = Number(options.seconds);
const WARM_UP_SECONDS = 1;
const ROUNDS = 3;
const UNDER_WAY = [1, 4, 32];
const VOUCHED = 50_000;
const SECRET = 'a secret of the benchmark, long enough';
const VIEWER: Viewer = {
  kind: 'account',
  accountId: newId('Account'),
  tenantId: newId('Tenant'),
  role: 'OWNER',
  scopes: scopesOfRole('OWNER'),
};
const BODY = JSON.stringify({
  query: 'query ($user: String) { recommend(user: $user, first: 20) { status edges { rank score node { id } } } }',
  variables: { user: 'user-1' },
});

interface Cost {
  gatewayUs: number;
  subgraphUs: number;
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function openWay(way: 'channel' | 'http') {
  const stub = fork(new URL('stub-subgraphs.ts', import.meta.url), [way]);
  const { urls } = await ask<{ urls: Record<SubgraphName, string> }>(stub);
  const client = createSubgraphClient({ subgraphUrls: urls, internalTokenSecret: SECRET });
  const { signal } = new AbortController();
  const context = { viewer: VIEWER, traceId: '0'.repeat(32), signal, deadlineAt: Number.POSITIVE_INFINITY };
  const load = async (underWay: number, seconds: number): Promise<number> => {
    const endAt = performance.now() + seconds * 1_000;
    let count = 0;
    const one = async () => {
      for (; performance.now() < endAt; count++) {
        const { text } = await client.send({ name: 'recommendation', body: BODY, repeatable: true }, context);
        JSON.parse(text);
      }
    };
    await Promise.all(Array.from({ length: underWay }, one));
    return count;
  };
  return {
    way,
    measure: async (underWay: number): Promise<Cost> => {
      await load(underWay, WARM_UP_SECONDS);
      const before = await ask<{ cpuUs: number }>(stub, {});
      const ownBefore = cpuUs();
      const count = await load(underWay, SECONDS);
      const own = cpuUs() - ownBefore;
      const after = await ask<{ cpuUs: number }>(stub, {});
      return { gatewayUs: own / count, subgraphUs: (after.cpuUs - before.cpuUs) / count };
    },
    close: async () => {
      await client.close();
      stub.disconnect();
    },
  };
}

/** Microseconds for saying whom a call is for and being believed, at both ends together. */
function vouch() {
  const upgrade = signInternalToken(SECRET, { audience: 'catalog', viewer: VIEWER, body: CHANNEL_REQUEST });
  const seal = createCallSeal(SECRET, upgrade);
  const admit = admitCalls(SECRET, upgrade);
  const bytes = Buffer.from(BODY);
  const said = { traceparent: traceparent('0'.repeat(32)), timeout: '30000', hasLines: false, clientAddress: null };
  const ways = {
    token: () => {
      const token = signInternalToken(SECRET, { audience: 'catalog', viewer: VIEWER, body: BODY });
      verifyInternalToken(SECRET, { audience: 'catalog', token, body: bytes });
    },
    seal: (id: number) => {
      const issuedAt = Math.floor(Date.now() / 1000);
      const heard = readCall(
        Buffer.from(writeCall({ id, issuedAt, ...said }, { viewer: VIEWER, body: BODY }, seal.sign)),
      );
      if (heard?.kind !== 'call') throw new Error('A call was not understood');
      admit(heard);
    },
  };
  let id = 0;
  const times = { token: [] as number[], seal: [] as number[] };
  for (let round = 0; round < ROUNDS + 1; round++) {
    for (const way of ['token', 'seal'] as const) {
      const startedAt = performance.now();
      for (let count = 0; count < VOUCHED; count++) ways[way](++id);
      // The first round is not machine code yet.
      if (round > 0) times[way].push(((performance.now() - startedAt) * 1_000) / VOUCHED);
    }
  }
  return { tokenUs: median(times.token), sealUs: median(times.seal) };
}

const loadBefore = loadavg();
const ways = [await openWay('channel'), await openWay('http')];
const results: ({ way: string; underWay: number } & Cost)[] = [];
for (const underWay of UNDER_WAY) {
  const costs = new Map(ways.map(({ way }) => [way, [] as Cost[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { way, measure } of ways) costs.get(way)?.push(await measure(underWay));
  }
  for (const [way, runs] of costs) {
    const gatewayUs = median(runs.map((run) => run.gatewayUs));
    const subgraphUs = median(runs.map((run) => run.subgraphUs));
    results.push({ way, underWay, gatewayUs, subgraphUs });
  }
}
for (const { close } of ways) await close();
const vouching = vouch();
console.log('under way  way      gateway us/call  subgraph us/call');
for (const { way, underWay, gatewayUs, subgraphUs } of results) {
  console.log(
    `${String(underWay).padStart(9)}  ${way.padEnd(7)} ${gatewayUs.toFixed(0).padStart(16)} ${subgraphUs.toFixed(0).padStart(17)}`,
  );
}
console.log(
  `Vouching for a call: ${vouching.tokenUs.toFixed(1)} us with a token of its own, ${vouching.sealUs.toFixed(1)} us sealed (framing included)`,
);
const machine = { cores: availableParallelism(), loadBefore, loadAfter: loadavg(), node: process.version };
console.log(`${machine.cores} cores, load ${loadBefore.map((value) => value.toFixed(1)).join(' ')} before`);
if (options.json !== undefined) {
  await writeFile(options.json, `${JSON.stringify({ machine, unit: 'us', results, vouching }, null, 2)}\n`);
}
