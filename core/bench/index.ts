// Measures vector indices side by side: build, recall@20 of exact, searches one at a time and under load, event loop, memory:
//   npm run bench:index -- [--sizes 100000,1000000] [--dimension 64] [--engines exact,'faiss ivf'] [--seconds 3]
//     [--artefact FILE] [--json FILE]
// Catalogues are made from a seed; `--artefact` takes a model version's vectors instead. Each engine runs in a process of its
// own. faiss-node and usearch come from npm into the user's cache; where that fails their rows say why.
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decodeArtefact } from '../src/artefact.ts';
import { buildExactIndex } from '../src/exact-index.ts';
import { runInChild } from './in-child.ts';
import { findBreakEven } from './index/break-even.ts';
import { type Catalogue, createCatalogue } from './index/catalogue.ts';
import { ENGINES } from './index/engines.ts';
import type { EngineRow, EngineTask } from './index/measure-engine.ts';
import { describeMachine } from './machine.ts';
import { type Column, formatTable } from './table.ts';

const { values: args } = parseArgs({
  options: {
    sizes: { type: 'string', default: '100000,1000000' },
    dimension: { type: 'string', default: '64' },
    engines: {
      type: 'string',
      default: 'exact,faiss ivf,faiss ivf debian,faiss ivf sq8,faiss-node flat,faiss-node ivf,usearch',
    },
    seconds: { type: 'string', default: '3' },
    artefact: { type: 'string' },
    json: { type: 'string' },
  },
});

// As many searches run at once as there are processors: more would only keep the event loop from its own.
process.env.UV_THREADPOOL_SIZE ??= String(availableParallelism());
const CHILD = join(import.meta.dirname, 'index', 'engine-child.ts');
const engines = args.engines.split(',').map((name) => name.trim());
const unknown = engines.find((name) => !(name in ENGINES));
if (unknown !== undefined)
  throw new RangeError(`Wanted engines of ${Object.keys(ENGINES).join(', ')}; got ${unknown}.`);

function* readCatalogues(): Generator<Catalogue> {
  if (args.artefact !== undefined) {
    const { items, users, dimension } = decodeArtefact(readFileSync(args.artefact));
    yield { items, queries: users.slice(0, 1000 * dimension), dimension };
    return;
  }
  for (const size of args.sizes.split(',')) yield createCatalogue(Number(size), { dimension: Number(args.dimension) });
}

/** A row, or why there is none. */
type Outcome = EngineRow | { readonly engine: string; readonly size: number; readonly failure: string };

async function measureAll({ items, queries, dimension }: Catalogue): Promise<Outcome[]> {
  const exact = await buildExactIndex(items, dimension);
  const { rows: wanted } = await exact.search(queries, 20);
  exact.close();
  await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-bench-'));
  const itemsPath = join(folder.path, 'items');
  await writeFile(itemsPath, items);
  const outcomes: Outcome[] = [];
  for (const engine of engines) {
    const task: EngineTask = { engine, itemsPath, queries, dimension, wanted, seconds: Number(args.seconds) };
    try {
      outcomes.push((await runInChild(CHILD, task)) as EngineRow);
    } catch (error) {
      const failure = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      outcomes.push({ engine, size: items.length / dimension, failure });
    }
  }
  return outcomes;
}

/** How much more 32 callers get of one engine than of another at the same recall. */
function formatRatio(rows: readonly EngineRow[], [left, right]: readonly [string, string]): string[] {
  const [own, other] = [left, right].map((engine) => rows.find((row) => row.engine === engine));
  if (!own || !other) return [];
  const ratio = own.queriesPerSecond[32] / other.queriesPerSecond[32];
  const recalls = `recall ${own.recallAt20.toFixed(4)} and ${other.recallAt20.toFixed(4)}`;
  return [`${left} answers 32 callers ${ratio.toFixed(1)} times as often as ${right} (${recalls}).`];
}

const PAIRS = [
  ['exact', 'faiss-node flat'],
  ['exact', 'faiss-node ivf'],
  ['faiss ivf', 'faiss-node ivf'],
  ['faiss ivf', 'faiss ivf debian'],
] as const;

const ms = (value: number) => value.toFixed(value < 1 ? 3 : 2);
const COLUMNS: readonly Column<EngineRow>[] = [
  { title: 'engine', cell: (row) => row.engine },
  { title: 'vectors', cell: (row) => String(row.size) },
  { title: 'build s', cell: (row) => row.buildSeconds.toFixed(1) },
  { title: 'CPU s', cell: (row) => row.buildCpuSeconds.toFixed(1) },
  { title: 'MB', cell: (row) => row.memoryMB.toFixed(0) },
  { title: 'recall@20', cell: (row) => row.recallAt20.toFixed(4) },
  { title: 'p50 ms', cell: (row) => ms(row.p50Ms) },
  { title: 'p95', cell: (row) => ms(row.p95Ms) },
  { title: 'p99', cell: (row) => ms(row.p99Ms) },
  { title: 'CPU ms', cell: (row) => ms(row.cpuMs) },
  { title: 'q/s 1', cell: (row) => row.queriesPerSecond[1].toFixed(0) },
  { title: '2', cell: (row) => row.queriesPerSecond[2].toFixed(0) },
  { title: '32', cell: (row) => row.queriesPerSecond[32].toFixed(0) },
  { title: 'in 32s', cell: (row) => row.batchedPerSecond?.toFixed(0) ?? null },
  { title: 'loop p99 ms', cell: (row) => row.loopDelayP99Ms.toFixed(2) },
  { title: 'in 32s', cell: (row) => row.batchedLoopDelayP99Ms?.toFixed(2) ?? null },
  { title: 'settings', cell: (row) => row.settings },
];

const machine = describeMachine();
console.log(JSON.stringify(machine));
const outcomes: Outcome[] = [];
for (const catalogue of readCatalogues()) {
  const measured = await measureAll(catalogue);
  outcomes.push(...measured);
  const rows = measured.filter((outcome): outcome is EngineRow => !('failure' in outcome));
  for (const line of formatTable(COLUMNS, rows)) console.log(line);
  for (const pair of PAIRS) for (const line of formatRatio(rows, pair)) console.log(line);
  for (const outcome of measured) if ('failure' in outcome) console.log(`${outcome.engine}: ${outcome.failure}`);
}
const rows = outcomes.filter((outcome): outcome is EngineRow => !('failure' in outcome));
const breakEven = findBreakEven(rows, 'exact', 'faiss ivf');
const sizes = [...new Set(rows.map(({ size }) => size))].toSorted((a, b) => a - b);
console.log(
  breakEven === null
    ? `Exact search and inverted lists change places at none of ${sizes.join(', ')} vectors.`
    : `Exact search takes as long as inverted lists at about ${breakEven} vectors.`,
);
if (args.json) writeFileSync(args.json, `${JSON.stringify({ machine, outcomes, breakEven }, null, 2)}\n`);
