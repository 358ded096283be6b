// How long a training's events take from the worker to who follows it, and whether followers slow the training: trainings
// through the real gateway, each followed by nobody, by one and by many in turns.
// `node scripts/bench/events.ts [--subscribers N] [--seconds N] [--cycles N] [--json FILE]`
import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cpuBetween, readUse } from './serve/process-use.ts';
import { median, quantile } from '@kindred/testing/quantile';
import { startTrainingPlatform } from './training/platform.ts';
import { cancel, createTenant, type Epoch, readEpochs, readRun, train } from './training/runs.ts';
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
/** As many as a run may have: more than are trained in one cycle. */
const SETTINGS = { epochs: 1_000, patience: 1_000, dimension: 64, seed: 7 };
const SETTLE_MS = 2_000;
const GOAL_MS = 500;
const LOOK_EVERY_MS = 500;
/** Whose CPU time is shown. */
const PARTS = ['gateway', 'model', 'postgres', 'redis', 'subscribers'];

/** A stretch of the training. */
interface Block {
  subscribers: number;
  from: number;
  to: number;
  lagsMs: number[];
  wrong: number;
  ended: number;
  epochs: Epoch[];
  cpuMs: Record<string, number>;
}

const loadBefore = loadavg();
await using platform = await startTrainingPlatform();
const tenant = await createTenant(platform, SIZE);

const blocks: Block[] = [];
for (let cycle = 0; cycle < CYCLES; cycle++) {
  // Each count comes first as often as last: what the machine does otherwise falls on all of them.
  blocks.push(...(await measureRun(cycle % 2 === 0 ? COUNTS : COUNTS.toReversed())));
}

/** One training for all counts. @throws Error when it ends before they are measured */
async function measureRun(counts: readonly number[]): Promise<Block[]> {
  const runId = await train(tenant, SETTINGS);
  while ((await readEpochs(tenant, runId)).length < 3) await sleep(LOOK_EVERY_MS);
  const own: Omit<Block, 'epochs'>[] = [];
  for (const count of counts) own.push(await measure(runId, count));
  const { finishedAt, status } = await readRun(tenant, runId);
  if (finishedAt !== null) throw new Error(`The run was ${status} before it was measured: take fewer --seconds.`);
  const epochs = await readEpochs(tenant, runId);
  await cancel(tenant, runId);
  while ((await readRun(tenant, runId)).finishedAt === null) await sleep(LOOK_EVERY_MS);
  return own.map((block) => ({ ...block, epochs: epochs.filter(({ at }) => at >= block.from && at < block.to) }));
}

async function measure(runId: string, count: number): Promise<Omit<Block, 'epochs'>> {
  const { lastSequence: afterSequence } = await readRun(tenant, runId);
  const { gatewayUrl: url } = platform;
  await using subscribers = await openSubscribers({ count, url, credential: tenant.credential, runId, afterSequence });
  // What was told while they connected came late to them by no fault of its way.
  await subscribers.untilAt((await readRun(tenant, runId)).lastSequence);
  await sleep(SETTLE_MS);
  subscribers.forget();
  const before = readUse(processes());
  const from = Date.now();
  await sleep(SECONDS * 1_000);
  const to = Date.now();
  const cpuMs = cpuBetween(before, readUse(processes()));
  const { lagsMs, wrong, ended } = subscribers;
  return { subscribers: count, from, to, lagsMs: [...lagsMs], wrong, ended, cpuMs };
}

/** The platform's, and this one, which is all of the subscribers. */
function processes(): Map<string, { pid: number }> {
  return platform.processes().set('subscribers', { pid: process.pid });
}

const paceOf = ({ epochs }: Block): { samplesPerSecond: number; epochsPerSecond: number } => {
  const [first, last] = [epochs[0], epochs.at(-1)];
  const spanMs = first && last ? last.at - first.at : 0;
  return {
    samplesPerSecond: median(epochs.map((epoch) => epoch.samplesPerSecond)),
    epochsPerSecond: spanMs > 0 ? ((epochs.length - 1) * 1_000) / spanMs : 0,
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
    ended: own.reduce((sum, block) => sum + block.ended, 0),
    samplesPerSecond: median(paces.map((pace) => pace.samplesPerSecond)),
    epochsPerSecond: median(paces.map((pace) => pace.epochsPerSecond)),
    // Of the same cycle, each: what else the machine does changes from cycle to cycle.
    paceToAlone: median(paces.map((pace, cycle) => pace.epochsPerSecond / (alone[cycle]?.epochsPerSecond ?? 0))),
    cpuShares: Object.fromEntries(PARTS.map((part) => [part, shareOf(part, own)])),
  };
});

console.log(
  'subscribers  events   p50 ms   p95 ms   p99 ms  wrong  ended  samples/s  epochs/s  to alone' +
    `  CPU: ${PARTS.join('  ')}`,
);
for (const row of figures) {
  const cells = [
    String(row.subscribers).padStart(11),
    String(row.events).padStart(7),
    ...[row.p50Ms, row.p95Ms, row.p99Ms].map((value) => (value === null ? '-' : value.toFixed(0)).padStart(8)),
    String(row.wrong).padStart(6),
    String(row.ended).padStart(6),
    row.samplesPerSecond.toFixed(0).padStart(10),
    row.epochsPerSecond.toFixed(2).padStart(9),
    row.paceToAlone.toFixed(2).padStart(9),
    ''.padEnd(4),
    ...PARTS.map((part) => (row.cpuShares[part] ?? 0).toFixed(2).padStart(part.length + 1)),
  ];
  console.log(cells.join(' '));
}
const machine = { cores: availableParallelism(), loadBefore, loadAfter: loadavg(), node: process.version };
const isMet = figures.every(({ p95Ms, wrong, ended }) => wrong + ended === 0 && (p95Ms === null || p95Ms <= GOAL_MS));
console.log(`p95 within ${GOAL_MS} ms, nothing out of order or ended: ${isMet ? 'yes' : 'no'}`);
console.log(`${machine.cores} cores, load ${loadBefore.map((value) => value.toFixed(1)).join(' ')} before`);
if (options.json !== undefined)
  await writeFile(options.json, `${JSON.stringify({ machine, size: SIZE, figures }, null, 2)}\n`);
