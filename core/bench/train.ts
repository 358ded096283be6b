// Measures LightGCN training on data in lines of `user item item ...`:
//   node core/bench/train.ts [--data gowalla] [--epochs N] [--threads N] [--backend native] [--reference] [--json FILE]
// Prints a table: one propagation layer against the bandwidth of random rows measured in the same run, one step (with
// --reference also in TypeScript), memory against the estimate, and a whole training with wall and CPU seconds and
// Recall@20 and NDCG@20 on the held-out part (test.txt; valid.txt where the folder has one). KINDRED_DATA_DIR as in tests.
import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluateRankingAt } from '../src/evaluate.ts';
import type { InteractionMatrix } from '../src/interaction-matrix.ts';
import type { BackendKind } from '../src/lightgcn/backend.ts';
import { defaultHyperparameters, type Hyperparameters } from '../src/lightgcn/hyperparameters.ts';
import { createLightGcn, embeddings, trainEpoch } from '../src/lightgcn/light-gcn.ts';
import { estimateMemoryBytes } from '../src/lightgcn/memory-estimate.ts';
import { loadLightGcnAddon } from '../src/lightgcn/native-addon.ts';
import { readUserLists } from './read-user-lists.ts';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: 'gowalla' },
    threads: { type: 'string' },
    epochs: { type: 'string' },
    seed: { type: 'string', default: '1' },
    set: { type: 'string', default: '{}' },
    reference: { type: 'boolean', default: false },
    backend: { type: 'string', default: 'auto' },
    json: { type: 'string' },
  },
});
const dataFolder = join(
  process.env.KINDRED_DATA_DIR ?? join(import.meta.dirname, '../../../shared/data'),
  options.data,
);
const heldOutPath = [join(dataFolder, 'valid.txt'), join(dataFolder, 'test.txt')].find(existsSync);
if (!heldOutPath) {
  console.log(`No test.txt or valid.txt in ${dataFolder}: nothing measured.`);
  process.exit(0);
}
const [train, heldOut] = readUserLists(join(dataFolder, 'train.txt'), heldOutPath);
if (!train || !heldOut) throw new Error(`Wanted two matrices from ${dataFolder}.`);
const threads = Number(options.threads ?? availableParallelism());
const backend = options.backend as BackendKind | 'auto';
const hyperparameters: Hyperparameters = {
  ...defaultHyperparameters({ ...train, interactionCount: train.userRows.length }),
  seed: Number(options.seed),
  ...(options.epochs === undefined ? {} : { epochs: Number(options.epochs) }),
  ...(JSON.parse(options.set) as Partial<Hyperparameters>),
};

const report: Record<string, string | number> = {
  data: `${options.data}, ${train.userCount} users x ${train.itemCount} items, ${train.userRows.length} interactions`,
  processor: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} of ${cpus().length} processors, ${threads} threads`,
  loadBefore: loadavg()[0] ?? 0,
};
await measurePropagation();
report.nativeOrAutoStepMs = await measureStep(backend);
if (options.reference) {
  report.referenceStepMs = await measureStep('reference');
  report.referenceOverNative = report.referenceStepMs / report.nativeOrAutoStepMs;
}
await measureTraining(train, heldOut);
report.loadAfter = loadavg()[0] ?? 0;
for (const [name, value] of Object.entries(report)) {
  console.log(`${name.padEnd(28)} ${typeof value === 'number' ? Number(value.toPrecision(5)) : value}`);
}
if (options.json) writeFileSync(options.json, `${JSON.stringify({ ...report, hyperparameters }, null, 1)}\n`);

/** One layer beside the bandwidth of random rows, taken in turns so that a busy machine slows both; best of 50 each. */
async function measurePropagation(): Promise<void> {
  const { addon } = loadLightGcnAddon();
  if (!addon || !train) return;
  const { graph } = await createLightGcn(train, hyperparameters, { backend: 'reference' });
  const { userCount, nodeCount, offsets, neighbors } = graph;
  const { dimension } = hyperparameters;
  const layers = Float32Array.of(0.5, 0.5);
  const trainer = new addon.Trainer(userCount, nodeCount, offsets, neighbors, dimension, layers, threads, '');
  const rowFloats = Math.ceil(dimension / 16) * 16;
  let seconds = Number.POSITIVE_INFINITY;
  let ceiling = 0;
  for (let round = 0; round < 10; round++) {
    // The addon takes the best of five passes of the ceiling.
    for (let pass = 0; pass < 5; pass++) seconds = Math.min(seconds, trainer.timeLayer(1));
    ceiling = Math.max(ceiling, addon.measureRowBandwidth(nodeCount, rowFloats, neighbors.length, threads));
  }
  trainer.close();
  const gathered = (neighbors.length * rowFloats * 4) / seconds;
  report.layerMs = seconds * 1000;
  report.layerGatheredGBps = gathered / 1e9;
  report.randomRowCeilingGBps = ceiling / 1e9;
  report.layerShareOfCeiling = gathered / ceiling;
}

/** Mean milliseconds of a step at the first epoch's settings. */
async function measureStep(kind: BackendKind | 'auto'): Promise<number> {
  if (!train) return Number.NaN;
  const model = await createLightGcn(train, hyperparameters, { backend: kind, threads });
  // Two batches for the reference, which takes seconds for each.
  const stepCount = model.backend.kind === 'reference' ? 2 : 30;
  const { batchSize } = model.hyperparameters;
  const edges = model.workspace.trainableEdges.slice(0, stepCount * batchSize);
  const sample = { ...model, workspace: { ...model.workspace, trainableEdges: edges } };
  const began = performance.now();
  await trainEpoch(sample);
  const milliseconds = performance.now() - began;
  model.backend.close();
  return milliseconds / Math.ceil(edges.length / batchSize);
}

async function measureTraining(matrix: InteractionMatrix, wanted: InteractionMatrix): Promise<void> {
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  const memoryBefore = process.memoryUsage.rss();
  const model = await createLightGcn(matrix, hyperparameters, { backend, threads });
  let peakBytes = 0;
  let loss = 0;
  while (model.state.epoch < hyperparameters.epochs) {
    ({ loss } = await trainEpoch(model));
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss() - memoryBefore);
  }
  const { users, items, dimension } = await embeddings(model);
  model.backend.close();
  const cpu = process.cpuUsage(cpuBefore);
  report.backend = `${model.backend.kind}, ${model.backend.detail} (${model.backendReason})`;
  report.epochs = model.state.epoch;
  report.steps = model.state.step;
  report.loss = loss;
  report.wallSeconds = (performance.now() - began) / 1000;
  report.cpuSeconds = (cpu.user + cpu.system) / 1e6;
  report.residentGrowthMB = peakBytes / 1e6;
  const size = { userCount: matrix.userCount, itemCount: matrix.itemCount, interactionCount: matrix.userRows.length };
  report.estimatedMB = estimateMemoryBytes({ ...size, ...model.hyperparameters, backend: model.backend.kind }) / 1e6;
  const ranker = { userVectors: users, itemVectors: items, dimension };
  const ranking = evaluateRankingAt(ranker, matrix, wanted, { cutoff: 20 });
  report.heldOut = heldOutPath?.split('/').at(-1) ?? '';
  report.recallAt20 = ranking.recall;
  report.ndcgAt20 = ranking.ndcg;
}
