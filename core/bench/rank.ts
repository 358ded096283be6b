// Full ranking of all users: users per second of one core, native against the TypeScript reference in the same run, whose
// rows must be equal. Defaults are the shape of gowalla; `--json FILE` writes what is printed.
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { EvaluationCase } from '../src/metrics/evaluation-case.ts';
import { rankUsers } from '../src/metrics/rank-users.ts';
import { nextBelow, nextNormal, seedRandom } from '../src/random.ts';
import { loadRankingAddon } from '../src/ranking-addon.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '29858' },
    items: { type: 'string', default: '40981' },
    dimension: { type: 'string', default: '64' },
    known: { type: 'string', default: '27' },
    cutoff: { type: 'string', default: '20' },
    threads: { type: 'string', default: String(availableParallelism()) },
    referenceUsers: { type: 'string', default: '500' },
    repeats: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});
const [userCount, itemCount, dimension, knownCount] = [values.users, values.items, values.dimension, values.known].map(
  Number,
) as [number, number, number, number];
const [cutoff, threads, repeats] = [values.cutoff, values.threads, values.repeats].map(Number) as [
  number,
  number,
  number,
];

const random = seedRandom(1);

/** Users who each know `knownCount` random items. */
function createCase(): EvaluationCase {
  const offsets = new Int32Array(userCount + 1);
  const items: number[] = [];
  for (let user = 0; user < userCount; user++) {
    const own = new Set(Array.from({ length: knownCount }, () => nextBelow(random, itemCount)));
    items.push(...[...own].toSorted((a, b) => a - b));
    offsets[user + 1] = items.length;
  }
  const known = { offsets, items: Int32Array.from(items) };
  const activity = new Int32Array(userCount);
  const popularity = new Int32Array(itemCount);
  const userRows = Int32Array.from({ length: userCount }, (_, user) => user);
  return { userCount, itemCount, userRows, known, wanted: known, activity, popularity };
}

/** Normal vectors whose norms spread by a log-normal factor: 0 leaves nothing to prune, trained models have .5 to 1. */
function createVectors(count: number, spread: number): Float32Array {
  const vectors = new Float32Array(count * dimension);
  for (let row = 0; row < count; row++) {
    const norm = Math.exp(spread * nextNormal(random));
    for (let at = row * dimension; at < (row + 1) * dimension; at++) vectors[at] = norm * nextNormal(random);
  }
  return vectors;
}

interface Line {
  vectors: string;
  engine: string;
  users: number;
  wallSeconds: number;
  cpuSeconds: number;
  usersPerSecond: number;
  usersPerCpuSecond: number;
  gigaflopsPerCpuSecond: number;
}

function measure(vectors: string, rank: () => { engine: string; userRows: Int32Array }): Line {
  const started = performance.now();
  const before = process.cpuUsage();
  const { engine, userRows } = rank();
  const { user, system } = process.cpuUsage(before);
  const wallSeconds = (performance.now() - started) / 1000;
  const cpuSeconds = (user + system) / 1e6;
  const users = userRows.length;
  const gigaflops = (2 * users * itemCount * dimension) / 1e9;
  const usersPerSecond = users / wallSeconds;
  const rates = {
    usersPerSecond,
    usersPerCpuSecond: users / cpuSeconds,
    gigaflopsPerCpuSecond: gigaflops / cpuSeconds,
  };
  return { vectors, engine, users, wallSeconds, cpuSeconds, ...rates };
}

const data = createCase();
const few = { ...data, userRows: data.userRows.slice(0, Number(values.referenceUsers)) };
const lines: Line[] = [];
for (const [name, spread] of [
  ['equal norms', 0],
  ['spread .5', 0.5],
  ['spread 1', 1],
] as const) {
  const ranker = {
    userVectors: createVectors(userCount, spread),
    itemVectors: createVectors(itemCount, spread),
    dimension,
  };
  const reference = rankUsers(ranker, few, { cutoff, engine: 'reference' });
  lines.push(measure(name, () => rankUsers(ranker, few, { cutoff, engine: 'reference' })));
  if (loadRankingAddon().addon === null) continue;
  const native = rankUsers(ranker, few, { cutoff, threads });
  if (native.itemRows.some((row, at) => row !== reference.itemRows[at])) throw new Error(`Rows differ for ${name}.`);
  for (const count of new Set([1, threads])) {
    const runs = Array.from({ length: repeats }, () =>
      measure(name, () => rankUsers(ranker, data, { cutoff, threads: count })),
    );
    lines.push(...runs.toSorted((a, b) => a.cpuSeconds - b.cpuSeconds).slice(0, 1));
  }
}

const machine = { model: cpus()[0]?.model, processors: availableParallelism(), load: loadavg()[0] };
const shape = { userCount, itemCount, dimension, knownCount, cutoff, repeats };
console.log(JSON.stringify({ machine, shape }));
console.table(
  lines.map((line) => ({
    ...line,
    wallSeconds: line.wallSeconds.toFixed(2),
    cpuSeconds: line.cpuSeconds.toFixed(2),
    usersPerSecond: Math.round(line.usersPerSecond),
    usersPerCpuSecond: Math.round(line.usersPerCpuSecond),
    gigaflopsPerCpuSecond: line.gigaflopsPerCpuSecond.toFixed(1),
  })),
);
if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, shape, lines }, null, 2)}\n`);
