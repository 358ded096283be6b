// `recommend` with and without Redis, in turns: at an open rate, on the processes of `npm start`, with a generated tenant.
// `node scripts/bench/redis-loss.ts [--rounds N] [--seconds N] [--rate N] [--json FILE]`. Each round measures with Redis,
// ends it, measures from that moment on, and brings it back. On a busy machine CPU time tells more than times do.
import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { median } from '@kindred/testing/quantile';
import { loadAtRate } from './serve/load.ts';
import { type LoadFigures, measureLoad } from './serve/measure-load.ts';
import { startServePlatform } from './serve/platform.ts';
import { printLoads } from './serve/print.ts';
import { promote } from './serve/promotions.ts';
import { evenly } from './serve/questions.ts';
import { createWorld } from './serve/world.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '100' },
    json: { type: 'string' },
  },
});
const RATE = Number(options.rate);
const SECONDS = Number(options.seconds);

const loadBefore = loadavg();
await using platform = await startServePlatform();
const world = await createWorld(platform, { itemCount: 10_000, userCount: 2_000, interactionsPerUser: 30 });
const [versionId] = world.versionIds;
if (versionId === undefined) throw new Error('Wanted a version.');
await promote(platform, world, { versionId });
const target = { url: platform.gatewayUrl, credential: world.credential, seconds: SECONDS, ratePerSecond: RATE };
const load = () => loadAtRate({ ...target, next: evenly(world) });
const measure = async (name: string): Promise<LoadFigures> => {
  const figures = await measureLoad(platform, name, load);
  printLoads([figures]);
  return figures;
};

await load();
const rounds: { kept: LoadFigures; lost: LoadFigures }[] = [];
for (let round = 0; round < Number(options.rounds); round++) {
  const kept = await measure('with Redis');
  platform.killRedis();
  rounds.push({ kept, lost: await measure('from its end on') });
  await platform.startRedis();
  // It is believed again after a second and a half.
  await load();
}

const cpuOf = ({ cpuUs }: LoadFigures): number =>
  Object.entries(cpuUs).reduce((sum, [part, us]) => (part === 'load' ? sum : sum + us), 0);
const medianRatio = (of: (figures: LoadFigures) => number): number =>
  median(rounds.map(({ kept, lost }) => of(lost) / of(kept)));
const ratios = {
  p50: medianRatio(({ p50Ms }) => p50Ms),
  p95: medianRatio(({ p95Ms }) => p95Ms),
  cpu: medianRatio(cpuOf),
};
const errors = rounds.reduce((sum, { lost }) => sum + lost.errors, 0);
const [p50, p95, cpu] = [ratios.p50, ratios.p95, ratios.cpu].map((ratio) => `${ratio.toFixed(2)} x`);
console.log(
  `Without Redis, median of ${rounds.length} rounds: median ${p50}, p95 ${p95}, CPU ${cpu}; ${errors} errors`,
);
const machine = { cores: availableParallelism(), loadBefore, loadAfter: loadavg(), node: process.version };
console.log(`${machine.cores} cores, load ${loadBefore.map((value) => value.toFixed(1)).join(' ')} before`);
if (options.json !== undefined)
  await writeFile(options.json, `${JSON.stringify({ machine, rounds, ratios, errors }, null, 2)}\n`);
