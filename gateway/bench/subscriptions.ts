// A thousand sockets, each following a run, or all the same, of which the stub subgraph tells an event every so often;
// every event is completed from two other subgraphs. `rate` is in events per second over all sockets. The machine does not stay
// as quick as it is: what an event takes is said over all, and of the seconds, and how much of the machine its host gave to others.
// `node gateway/bench/subscriptions.ts [--sockets N] [--rate N] [--seconds N] [--one-run] [--json FILE]`
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { quantile } from '@kindred/testing/quantile';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { ask } from './ask.ts';
import { CAN_PIN, pinOther } from './pin.ts';
import { startGatewayProcess } from './start-gateway.ts';
import { createStolenPercent } from './stolen-time.ts';
import { startStubs } from './subgraphs-under-test.ts';

const { values: options } = parseArgs({
  options: {
    sockets: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '30' },
    'one-run': { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const SOCKETS = Number(options.sockets);
const RATE = Number(options.rate);
const SECONDS = Number(options.seconds);
// Until what runs often is machine code: V8 compiled for 30 us of each event after five seconds.
const SETTLE_MS = 20_000;
const QUERY = `subscription ($runId: ID!, $after: Int) { trainingProgress(runId: $runId, afterSequence: $after) {
  sequence at message run { model { name tenant { name catalog { itemCount } } } } } }`;

interface Event {
  sequence: number;
  message: string;
  run: { model: { name: string; tenant: { name: string; catalog: { itemCount: number } } } };
}

interface Received {
  count: number;
  /** Events that came out of their order, or of another socket's run. */
  wrong: number;
  lastSequence: number;
}

function open(url: string, { token, runId, latencies }: { token: string; runId: string; latencies: number[] }) {
  const received: Received = { count: 0, wrong: 0, lastSequence: 0 };
  const client = createClient({
    url,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: { authorization: `Bearer ${token}` },
  });
  client.subscribe<{ trainingProgress: Event }>(
    { query: QUERY, variables: { runId } },
    {
      next: ({ data, errors }) => {
        const event = data?.trainingProgress;
        const [sentRun, sentAt] = event?.message.split(' ') ?? [];
        const isRight =
          errors === undefined &&
          sentRun === runId &&
          event?.run.model.tenant.name === 'Acme' &&
          event.run.model.tenant.catalog.itemCount === 1_000 &&
          event.sequence === received.lastSequence + 1;
        if (!isRight) received.wrong += 1;
        received.lastSequence = event?.sequence ?? 0;
        received.count += 1;
        latencies.push(performance.timeOrigin + performance.now() - Number(sentAt));
      },
      error: () => {
        received.wrong += 1;
      },
      complete: () => {},
    },
  );
  return { received, client };
}

pinOther(process.pid);
const subgraphs = await startStubs({ connections: SOCKETS, areOne: true });
await ask(subgraphs.process, { eventIntervalMs: (1_000 * SOCKETS) / RATE });
const { child: gateway, url } = await startGatewayProcess('ours', subgraphs);
const loadBefore = loadavg();
const latencies: number[] = [];
const sockets = subgraphs.tokens.map((token, index) =>
  open(url.replace('http', 'ws'), { token, runId: options['one-run'] ? 'run_0' : `run_${index}`, latencies }),
);
// Who connects late is told late what was told before.
while (sockets.some(({ received }) => received.count === 0)) await wait(100);
await wait(SETTLE_MS);
latencies.length = 0;
const countReceived = () => sockets.reduce((sum, { received }) => sum + received.count, 0);
const readGateway = async () => {
  const { cpuUs, rssMiB } = await ask<{ cpuUs: number; rssMiB: number }>(gateway, {});
  return { cpuUs, rssMiB, count: countReceived(), atMs: performance.now() };
};
const cpuPerEvent = (from: typeof before, to: typeof before) => (to.cpuUs - from.cpuUs) / (to.count - from.count);
const readStolen = createStolenPercent();
const before = await readGateway();
let after = before;
const cpuOfSeconds: number[] = [];
for (let second = 0; second < SECONDS; second++) {
  const from = after;
  await wait(1_000);
  after = await readGateway();
  cpuOfSeconds.push(cpuPerEvent(from, after));
}
const stolenPercent = readStolen();
cpuOfSeconds.sort((a, b) => a - b);
const sorted = latencies.toSorted((a, b) => a - b);
const figures = {
  sockets: SOCKETS,
  eventsPerSecondWanted: RATE,
  eventsPerSecondDelivered: ((after.count - before.count) / (after.atMs - before.atMs)) * 1_000,
  cpuUsPerEvent: cpuPerEvent(before, after),
  cpuUsLowerQuartile: quantile(cpuOfSeconds, 0.25),
  cpuUsMedian: quantile(cpuOfSeconds, 0.5),
  cpuUsUpperQuartile: quantile(cpuOfSeconds, 0.75),
  p50Ms: quantile(sorted, 0.5),
  p95Ms: quantile(sorted, 0.95),
  p99Ms: quantile(sorted, 0.99),
  wrongEvents: sockets.reduce((sum, { received }) => sum + received.wrong, 0),
  silentSockets: sockets.filter(({ received }) => received.count === 0).length,
  rssMiB: after.rssMiB,
  stolenPercent,
};
const machine = { isPinned: CAN_PIN, cores: cpus().length, loadBefore, loadAfter: loadavg(), node: process.version };
for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(26)} ${value.toFixed(1).padStart(10)}`);
console.log(`${machine.cores} cores, load ${loadBefore.map((value) => value.toFixed(1)).join(' ')} before`);
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify({ machine, figures }, null, 2)}\n`);
for (const { client } of sockets) await client.dispose();
gateway.disconnect();
subgraphs[Symbol.dispose]();
process.exit();
