// `recommend` under load: the processes of `npm start` (gateway, catalog, recommendation, tenant, PostgreSQL, Redis) on a
// generated tenant. `node scripts/bench/serve.ts [--seconds N] [--rate N] [--hold SECONDS] [--items N] [--users N]
// [--json FILE]`. Load and servers share the machine's cores. The baseline is the same graph in the same run without
// batches, without items and without results in memory, and without Redis to keep histories.
import { writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { median } from '@kindred/testing/quantile';
import { freePort } from '../src/ports.ts';
import { measureEvents } from './serve/events.ts';
import { loadAtMost, loadAtRate, type Question } from './serve/load.ts';
import { type LoadFigures, measureLoad } from './serve/measure-load.ts';
import { startServePlatform } from './serve/platform.ts';
import { printEvents, printLoads, printPromotions, type PromotionFigures } from './serve/print.ts';
import { promote, servedVersion, untilServed } from './serve/promotions.ts';
import { byZipf, evenly, filtered, zipfUsers } from './serve/questions.ts';
import { createWorld } from './serve/world.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '400' },
    hold: { type: 'string', default: '0' },
    items: { type: 'string', default: '10000' },
    users: { type: 'string', default: '2000' },
    json: { type: 'string' },
  },
});
const SECONDS = Number(options.seconds);
const RATE = Number(options.rate);
const ROUNDS = 5;
const HOLD_RATE = 450;
const CONCURRENCY = 32;
const CLICKS = 200;
const CLICKS_PER_SECOND = 20;
const NO_CACHE = { RESULT_CACHE_BYTES: '0' };

const loadBefore = loadavg();
await using platform = await startServePlatform();
const size = { itemCount: Number(options.items), userCount: Number(options.users), interactionsPerUser: 30 };
const world = await createWorld(platform, size);
const [firstVersion, secondVersion] = world.versionIds;
if (firstVersion === undefined || secondVersion === undefined) throw new Error('Wanted two versions.');
await promote(platform, world, { versionId: firstVersion });

const target = { url: platform.gatewayUrl, credential: world.credential };
const atMost = (next: () => Question, seconds = SECONDS) =>
  loadAtMost({ ...target, next, seconds, concurrency: CONCURRENCY });
const atRate = (next: () => Question, ratePerSecond = RATE, seconds = SECONDS) =>
  loadAtRate({ ...target, next, seconds, ratePerSecond });
const loads: LoadFigures[] = [];
const measure = async (name: string, run: Parameters<typeof measureLoad>[2]) => {
  const figures = await measureLoad(platform, name, run);
  loads.push(figures);
  printLoads([figures]);
  return figures;
};

// Every user once and machine code for what runs often: what is measured is warm.
await platform.start('recommendation', { env: NO_CACHE });
await atMost(evenly(world), Math.max(10, SECONDS / 2));
await measure('at most, results not kept', () => atMost(evenly(world)));
// In rounds: this machine is at times slow for seconds.
const rounds: LoadFigures[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  rounds.push(await measure(`${RATE}/s, results not kept, round ${round}`, () => atRate(evenly(world))));
}
const steady = { p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)), p95Ms: median(rounds.map(({ p95Ms }) => p95Ms)) };
console.log(
  `${RATE}/s, medians of ${ROUNDS} rounds: p50 ${steady.p50Ms.toFixed(1)}, p95 ${steady.p95Ms.toFixed(1)} ms`,
);
// What a filter looks at is read with its first use.
await atRate(filtered(world), RATE, 2);
await measure(`${RATE}/s, half of them filtered`, () => atRate(filtered(world)));
if (Number(options.hold) > 0)
  await measure(`${HOLD_RATE}/s held, results not kept`, () => atRate(evenly(world), HOLD_RATE, Number(options.hold)));

await platform.start('recommendation');
await atMost(byZipf(world), Math.max(5, SECONDS / 4));
await measure('Zipf 1.0 at most, results kept', () => atMost(byZipf(world)));
const clicks = { isOver: false };
const clicked = { nextUser: zipfUsers(world, 8), isWanted: () => !clicks.isOver, pauseMs: 1000 / CLICKS_PER_SECOND };
const [, eventsUnderLoad] = await Promise.all([
  measure(`Zipf 1.0 ${RATE}/s with clicks, results kept`, () => atRate(byZipf(world))).finally(() => {
    clicks.isOver = true;
  }),
  measureEvents(platform, world, clicked),
]);
printEvents('under load', eventsUnderLoad);
const isWanted = (count: number) => count < CLICKS;
const events = await measureEvents(platform, world, { nextUser: zipfUsers(world, 9), isWanted, pauseMs: 0 });
printEvents('without a load', events);

const promotions = await measurePromotions();
printPromotions(promotions);

const beforeLoss = await measure(`${RATE}/s, before Redis ends`, () => atRate(evenly(world)));
platform.killRedis();
const afterLoss = await measure(`${RATE}/s, Redis killed`, () => atRate(evenly(world)));
const redisGone = { p50Ratio: afterLoss.p50Ms / beforeLoss.p50Ms, p95Ratio: afterLoss.p95Ms / beforeLoss.p95Ms };
console.log(`Without Redis: median ${redisGone.p50Ratio.toFixed(2)} x, p95 ${redisGone.p95Ratio.toFixed(2)} x`);
const unheard = await measureUnheard();

await platform.start('recommendation', { env: { ...NO_CACHE, SEARCH_BATCH_SIZE: '1' } });
await platform.start('catalog', { env: { ITEM_CACHE_BYTES: '0' } });
await atMost(evenly(world), Math.max(5, SECONDS / 4));
const baseline = await measure('baseline at most', () => atMost(evenly(world)));
const best = loads.find(({ name }) => name === 'at most, results not kept') ?? baseline;
const ratio = best.requestsPerSecond / baseline.requestsPerSecond;
console.log(`${ratio.toFixed(1)} x the answers of the baseline`);
const machine = { cores: availableParallelism(), loadBefore, loadAfter: loadavg(), node: process.version };
console.log(`${machine.cores} cores, load ${loadBefore.map((value) => value.toFixed(1)).join(' ')} before`);
if (options.json !== undefined) {
  const result = { machine, size, loads, steady, events, eventsUnderLoad, promotions, redisGone, unheard, ratio };
  await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
}

/** A promotion and the way back under load, seen at two replicas. */
async function measurePromotions(): Promise<PromotionFigures> {
  if (firstVersion === undefined || secondVersion === undefined) throw new Error('Wanted two versions.');
  const port = await freePort();
  await platform.start('recommendation', { as: 'recommendation-2', port });
  const replicas = [platform.ports.recommendation, port];
  await Promise.all(replicas.map((replica) => servedVersion(platform, world, replica)));
  const load = measure(`${RATE}/s with a promotion and the way back`, () => atRate(evenly(world)));
  await sleep((SECONDS * 1000) / 4);
  await promote(platform, world, { versionId: secondVersion });
  const promotionMs = await Promise.all(
    replicas.map((replica) => untilServed(platform, world, { port: replica, versionId: secondVersion })),
  );
  await sleep((SECONDS * 1000) / 4);
  await promote(platform, world, { versionId: firstVersion });
  const rollbackMs = await Promise.all(
    replicas.map((replica) => untilServed(platform, world, { port: replica, versionId: firstVersion })),
  );
  const { errors } = await load;
  return { promotionMs, rollbackMs, errors };
}

/** The way to another version while nobody can be told. */
async function measureUnheard(): Promise<number> {
  if (secondVersion === undefined) throw new Error('Wanted two versions.');
  await promote(platform, world, { versionId: secondVersion, isAnnounced: false });
  const port = platform.ports.recommendation;
  const tookMs = await untilServed(platform, world, { port, versionId: secondVersion });
  console.log(`A promotion without Redis is in effect after ${tookMs.toFixed(0)} ms`);
  return tookMs;
}
