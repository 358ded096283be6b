// Measures LightGCN training, one table for each data set and a row for each back-end of core:
//   npm run bench:train -- [--data gowalla-valid,ml-1m] [--backend native,reference] [--threads 1,2] [--sets]
//     [--train] [--quality valid|test] [--seed N | --seeds N] [--set '{"epochs":3}'] [--peer] [--json FILE]
// `--train` adds whole trainings to their stop, one for each seed; `--quality` with them Recall@20 and NDCG@20 of the best
// epoch. Nothing is measured on a test part unless `--quality test` asks for it. `--sets` gives each instruction set a row,
// `--peer` measures a Python program's step beside ours (bench/peer). KINDRED_DATA_DIR as in tests.
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { defaultHyperparameters, type Hyperparameters } from '../src/lightgcn/hyperparameters.ts';
import { findDataSets, writeForChildren } from './data/data-sets.ts';
import { describeMachine } from './machine.ts';
import { measurePeer, PAPER_SETTINGS } from './peer/measure-peer.ts';
import { printPeer } from './peer/print-peer.ts';
import { readSeeds } from './seeds.ts';
import { listConfigurations, type TrainingTask } from './training/configurations.ts';
import {
  measureConfiguration,
  measureStep,
  type TrainingRow,
  type WholeWish,
} from './training/measure-configuration.ts';
import { LEGEND, printRows, UNITS } from './training/print-rows.ts';
import { type HeldOutPart, heldOutPart, readTrainingData, type TrainingData } from './training/training-data.ts';

const { values: args } = parseArgs({
  options: {
    data: { type: 'string', default: 'gowalla-valid' },
    backend: { type: 'string' },
    threads: { type: 'string', default: [...new Set([1, availableParallelism()])].join(',') },
    sets: { type: 'boolean', default: false },
    train: { type: 'boolean', default: false },
    quality: { type: 'string' },
    seed: { type: 'string' },
    seeds: { type: 'string' },
    set: { type: 'string', default: '{}' },
    peer: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const quality = readPart(args.quality);
const seeds = readSeeds(args);
const whole: WholeWish = { seeds: args.train || quality ? seeds : [], quality };
const configurations = listConfigurations({
  backends: args.backend?.split(','),
  threads: args.threads.split(',').map(Number),
  everyInstructionSet: args.sets,
});
const machine = describeMachine();
console.log(`${machine.processor}, ${machine.processors} processors, node ${machine.node}, load ${machine.load}`);

const results = [];
for (const name of findDataSets(args.data)) results.push(await measureDataSet(name));
console.log(`\n${LEGEND}`);
if (args.json) {
  const record = {
    machine,
    loadAfter: describeMachine().load,
    units: UNITS,
    legend: LEGEND.split('\n'),
    seeds,
    results,
  };
  writeFileSync(args.json, `${JSON.stringify(record, null, 1)}\n`);
}

function readPart(part: string | undefined): HeldOutPart | null {
  if (part === undefined || part === 'valid' || part === 'test') return part ?? null;
  throw new RangeError(`Wanted --quality valid or test, got ${part}.`);
}

async function measureDataSet(name: string) {
  const data = readTrainingData(name);
  if (quality) heldOutPart(data, quality);
  const { userCount, itemCount, userRows } = data.train;
  const size = { userCount, itemCount, interactionCount: userRows.length };
  const hyperparameters: Hyperparameters = {
    ...defaultHyperparameters(size),
    seed: seeds[0] ?? 1,
    ...(JSON.parse(args.set) as Partial<Hyperparameters>),
  };
  const { protocol } = data;
  console.log(`\n${name}: ${userCount} users x ${itemCount} items, ${userRows.length} to train on; ${protocol}`);
  console.log(JSON.stringify(hyperparameters));
  using file = writeForChildren(data);
  const rows: TrainingRow[] = [];
  for (const configuration of configurations) {
    const task = { ...configuration, dataPath: file.path, hyperparameters };
    const reference = rows.find((row) => row.label === 'reference' && 'step' in row);
    const referenceMs = reference && 'step' in reference ? reference.step.bestStepMs : null;
    rows.push(await measureConfiguration(task, whole, referenceMs));
  }
  printRows(rows);
  const peer = args.peer ? await measureBesidePeer(data, { dataPath: file.path, hyperparameters }) : null;
  return { data: name, protocol, size, hyperparameters, quality, rows, peer };
}

async function measureBesidePeer(data: TrainingData, task: Pick<TrainingTask, 'dataPath' | 'hyperparameters'>) {
  const hyperparameters = { ...task.hyperparameters, ...PAPER_SETTINGS };
  const own = await measureStep({ ...task, hyperparameters, label: 'native', options: { backend: 'native' } });
  const peer = await measurePeer(data, { seed: task.hyperparameters.seed, quality });
  printPeer(own, peer);
  return { settings: PAPER_SETTINGS, own, peer };
}
