import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { mapFile } from '../../src/map-file.ts';
import { measureUse } from '../measure-use.ts';
import { medianOf } from '../statistics.ts';
import type { Catalogue } from './catalogue.ts';
import { ENGINES, type Engine } from './engines.ts';

/** What one engine does on one catalogue. Times are of the caller, in milliseconds. */
export interface EngineRow {
  readonly engine: string;
  readonly size: number;
  readonly settings: string;
  readonly buildSeconds: number;
  readonly buildCpuSeconds: number;
  /** Of its own, without the vectors where it reads them in place; 1 MB is 10^6 bytes. */
  readonly memoryMB: number;
  readonly recallAt20: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Of all threads, for each search: what other programs on the machine disturb least. */
  readonly cpuMs: number;
  /** By the number of searches under way at once. */
  readonly queriesPerSecond: { readonly 1: number; readonly 2: number; readonly 32: number };
  /** Of one call after another with 32 queries each; null where the engine has no such call. */
  readonly batchedPerSecond: number | null;
  /** While 32 searches are under way. */
  readonly loopDelayP99Ms: number;
  /** While calls with 32 queries each follow one another, as in a server that batches; null without such a call. */
  readonly batchedLoopDelayP99Ms: number | null;
}

export interface EngineTask {
  readonly engine: string;
  /** A file of the items' values alone, which the child maps: no memory of its own. */
  readonly itemsPath: string;
  readonly queries: Float32Array;
  readonly dimension: number;
  /** `[queryCount, 20]`: the exact answers. */
  readonly wanted: Int32Array;
  /** For each of the three loads. */
  readonly seconds: number;
}

const K = 20;
const WARM_UP = 50;
const BATCH = 32;

export async function measureEngine(task: EngineTask): Promise<EngineRow> {
  const { engine: name, queries, dimension, wanted, seconds } = task;
  const { buffer } = await mapFile(task.itemsPath);
  const catalogue: Catalogue = { items: new Float32Array(buffer), queries, dimension };
  const make = ENGINES[name];
  if (!make) throw new RangeError(`Wanted an engine of ${Object.keys(ENGINES).join(', ')}; got ${name}.`);
  const before = readOwnBytes();
  const {
    result: engine,
    seconds: buildSeconds,
    cpuSeconds: buildCpuSeconds,
  } = await measureUse(() => make(catalogue));
  const memoryMB = Math.max(0, readOwnBytes() - before) / 1e6;
  const queryAt = (at: number) => {
    const row = at % (queries.length / dimension);
    return queries.subarray(row * dimension, (row + 1) * dimension);
  };
  const recallAt20 = await recallOf(engine, queryAt, wanted);
  const single = await timeSingles(engine, queryAt);
  const loads = {
    1: await load(engine, queryAt, { callers: 1, seconds }),
    2: await load(engine, queryAt, { callers: 2, seconds }),
  };
  const [many, loopDelayP99Ms] = await withLoopDelay(() => load(engine, queryAt, { callers: 32, seconds }));
  const [batched, batchedLoopDelay] = await withLoopDelay(() =>
    loadBatches(engine, queries.subarray(0, BATCH * dimension), seconds),
  );
  return {
    engine: name,
    size: catalogue.items.length / catalogue.dimension,
    settings: engine.settings,
    buildSeconds,
    buildCpuSeconds,
    memoryMB,
    recallAt20,
    ...single,
    queriesPerSecond: { ...loads, 32: many },
    batchedPerSecond: batched,
    loopDelayP99Ms,
    batchedLoopDelayP99Ms: batched === null ? null : batchedLoopDelay,
  };
}

/** What `work` gives, and the event loop's delay meanwhile: its 99th percentile in milliseconds. */
async function withLoopDelay<T>(work: () => Promise<T>): Promise<[T, number]> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const result = await work();
  delay.disable();
  // The histogram's values include the millisecond between two looks.
  return [result, Math.max(0, delay.percentile(99) / 1e6 - 1)];
}

/** What the process holds that is no file, after a collection; elsewhere than on Linux all that is resident. */
function readOwnBytes(): number {
  globalThis.gc?.();
  try {
    const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  return process.memoryUsage().rss;
}

type QueryAt = (at: number) => Float32Array;

async function recallOf(engine: Engine, queryAt: QueryAt, wanted: Int32Array): Promise<number> {
  let hits = 0;
  for (let query = 0; query < wanted.length / K; query++) {
    const rows = new Set(Array.from(await engine.search(queryAt(query), K), Number));
    for (const row of wanted.subarray(query * K, (query + 1) * K)) hits += rows.has(row) ? 1 : 0;
  }
  return hits / wanted.length;
}

async function timeSingles(
  engine: Engine,
  queryAt: QueryAt,
): Promise<Pick<EngineRow, 'p50Ms' | 'p95Ms' | 'p99Ms' | 'cpuMs'>> {
  for (let at = 0; at < WARM_UP; at++) await engine.search(queryAt(at), K);
  const times: number[] = [];
  const cpu = process.cpuUsage();
  for (let at = 0; at < 1000; at++) {
    const started = performance.now();
    await engine.search(queryAt(at), K);
    times.push(performance.now() - started);
  }
  const { user, system } = process.cpuUsage(cpu);
  const rising = times.toSorted((a, b) => a - b);
  const at = (share: number) => rising[Math.floor(share * rising.length)] ?? 0;
  return { p50Ms: medianOf(times), p95Ms: at(0.95), p99Ms: at(0.99), cpuMs: (user + system) / 1e3 / times.length };
}

/** Searches per second of so many callers, who each ask again as soon as they are answered. */
async function load(
  engine: Engine,
  queryAt: QueryAt,
  { callers, seconds }: { callers: number; seconds: number },
): Promise<number> {
  const started = performance.now();
  const end = started + seconds * 1000;
  let count = 0;
  const call = async () => {
    while (performance.now() < end) {
      await engine.search(queryAt(count), K);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, call));
  return (count * 1000) / (performance.now() - started);
}

async function loadBatches(engine: Engine, queries: Float32Array, seconds: number): Promise<number | null> {
  if (!engine.searchAll) return null;
  const started = performance.now();
  let count = 0;
  for (; performance.now() - started < seconds * 1000; count += BATCH) await engine.searchAll(queries, K);
  return (count * 1000) / (performance.now() - started);
}
