// How long a training's events take from the worker to who follows it, and whether followers slow the training: one training
// through the real gateway, followed by nobody, by one and by many in turns.
// `node scripts/bench/events.ts [--subscribers N] [--seconds N] [--cycles N] [--json FILE]`
import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cpuBetween, readUse } from './serve/process-use.ts';
import { quantile } from './serve/load.ts';
import { startTrainingPlatform } from './training/platform.ts';
import { cancel, createTenant, readEpochs, readRun, train } from './training/runs.ts';
import { openSubscribers } from './training/subscribers.ts';

const { values: options } = parseArgs({
  options: {
    subscribers: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '15' },
    cycles: { type: 'string', default: '4' },
    json: { type: 'string' },
  },
});
const SECONDS = Number(options.seconds);
const CYCLES = Number(options.cycles);
const COUNTS = [0, 1, Number(options.subscribers)];
const SIZE = { itemCount: 2_000, userCount: 2_000, interactionsPerUser: 30 };
/** More than are trained while it is measured. */
const SETTINGS = { epochs: 1_000, patience: 1_000, dimension: 64, seed: 7 };
const SETTLE_MS = 2_000;
const GOAL_MS = 500;

/** A stretch of the training. */
interface Block {
  subscribers: number;
  from: number;
  to: number;
  lagsMs: number[];
  wrong: number;
  cpuMs: Record<string, number>;
}

const loadBefore = loadavg();
await using platform = await startTrainingPlatform();
const tenant = await createTenant(platform, SIZE);
const runId = await train(tenant, SETTINGS);
while ((await readEpochs(tenant, runId)).length < 3) await sleep(500);

const blocks: Block[] = [];
for (let cycle = 0; cycle < CYCLES; cycle++) {
  // Each count comes first as often as last: what the machine does otherwise falls on all of them.
  const counts = cycle % 2 === 0 ? COUNTS : COUNTS.toReversed();
  for (const count of counts) blocks.push(await measure(count));
}
const epochs = await readEpochs(tenant, runId);
await cancel(tenant, runId);

async function measure(count: number): Promise<Block> {
  const { lastSequence: afterSequence } = await readRun(tenant, runId);
  const { gatewayUrl: url } = platform;
  await using subscribers = await openSubscribers({ count, url, credential: tenant.credential, runId, afterSequence });
  await sleep(SETTLE_MS);
  subscribers.forget();
  const before = readUse(platform.processes());
  const from = Date.now();
  await sleep(SECONDS * 1_000);
  const to = Date.now();
  const cpuMs = cpuBetween(before, readUse(platform.processes()));
  return { subscribers: count, from, to, lagsMs: [...subscribers.lagsMs], wrong: subscribers.wrong, cpuMs };
}

const median = (values: readonly number[]): number => quantile(Float64Array.from(values).toSorted(), 0.5);
const paceOf = ({ from, to }: Block): { samplesPerSecond: number; epochsPerSecond: number } => {
  const own = epochs.filter(({ at }) => at >= from && at < to);
  const [first, last] = [own[0], own.at(-1)];
  const spanMs = first && last ? last.at - first.at : 0;
  return {
    samplesPerSecond: median(own.map((epoch) => epoch.samplesPerSecond)),
    epochsPerSecond: spanMs > 0 ? ((own.length - 1) * 1_000) / spanMs : 0,
  };
};
const shareOf = (name: string, own: readonly Block[]): number =>
  median(own.map(({ cpuMs, from, to }) => (cpuMs[name] ?? 0) / (to - from)));
const alone = blocks.filter(({ subscribers }) => subscribers === 0).map(paceOf);
const figures = COUNTS.map((count) => {
  const own = blocks.filter(({ subscribers }) => subscribers === count);
  const lags = Float64Array.from(own.flatMap(({ lagsMs }) => lagsMs)).toSorted();
  const paces = own.map(paceOf);
  return {
    subscribers: count,
    events: lags.length,
    p50Ms: count === 0 ? null : quantile(lags, 0.5),
    p95Ms: count === 0 ? null : quantile(lags, 0.95),
    p99Ms: count === 0 ? null : quantile(lags, 0.99),
    wrong: own.reduce((sum, block) => sum + block.wrong, 0),
    samplesPerSecond: median(paces.map((pace) => pace.samplesPerSecond)),
    epochsPerSecond: median(paces.map((pace) => pace.epochsPerSecond)),
    // Of the same cycle, each: what else the machine does changes from cycle to cycle.
    paceToAlone: median(paces.map((pace, cycle) => pace.epochsPerSecond / (alone[cycle]?.epochsPerSecond ?? 0))),
    gatewayCpuShare: shareOf('gateway', own),
    modelCpuShare: shareOf('model', own),
  };
});

console.log(
  'subscribers  events   p50 ms   p95 ms   p99 ms  wrong  samples/s  epochs/s  to alone  gateway CPU  model CPU',
);
for (const row of figures) {
  const cells = [
    String(row.subscribers).padStart(11),
    String(row.events).padStart(7),
    ...[row.p50Ms, row.p95Ms, row.p99Ms].map((value) => (value === null ? '-' : value.toFixed(0)).padStart(8)),
    String(row.wrong).padStart(6),
    row.samplesPerSecond.toFixed(0).padStart(10),
    row.epochsPerSecond.toFixed(2).padStart(9),
    row.paceToAlone.toFixed(2).padStart(9),
    row.gatewayCpuShare.toFixed(2).padStart(12),
    row.modelCpuShare.toFixed(2).padStart(10),
  ];
  console.log(cells.join(' '));
}
const machine = { cores: availableParallelism(), loadBefore, loadAfter: loadavg(), node: process.version };
const isMet = figures.every(({ p95Ms, wrong }) => wrong === 0 && (p95Ms === null || p95Ms <= GOAL_MS));
console.log(`p95 within ${GOAL_MS} ms, nothing out of order: ${isMet ? 'yes' : 'no'}`);
console.log(`${machine.cores} cores, load ${loadBefore.map((value) => value.toFixed(1)).join(' ')} before`);
if (options.json !== undefined)
  await writeFile(options.json, `${JSON.stringify({ machine, size: SIZE, figures }, null, 2)}\n`);
