// Fits every model on every public data set and prints what it ranks, how sure that is, and what it took:
//   npm run bench:accuracy -- [--data ml-100k,ml-1m] [--model popularity,lightgcn] [--seed N | --seeds N]
//     [--budget SECONDS] [--json FILE]
// `chosen` is what `chooseModel` takes on a validation part of the training data within the budget. `gowalla` is measured
// only where it is named: choices are made on `gowalla-valid`. KINDRED_DATA_DIR as in tests.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chooseAlgebra } from '../src/models/choose-algebra.ts';
import type { ModelRun, ModelTask } from './accuracy/measure-model.ts';
import { MODEL_NAMES } from './accuracy/models.ts';
import { LEGEND, printRows, UNITS } from './accuracy/print-rows.ts';
import { summarizeModels } from './accuracy/summarize.ts';
import { findDataSets, readDataSet, USUAL_DATA_SETS, writeForChildren } from './data/data-sets.ts';
import { runInChild } from './in-child.ts';
import { describeMachine } from './machine.ts';
import { readSeeds } from './seeds.ts';

const { values: args } = parseArgs({
  options: {
    data: { type: 'string', default: USUAL_DATA_SETS.join(',') },
    model: { type: 'string', default: MODEL_NAMES.join(',') },
    seed: { type: 'string' },
    seeds: { type: 'string' },
    budget: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});
const seeds = readSeeds(args);
const models = args.model.split(',');
const strange = models.find((model) => !MODEL_NAMES.includes(model));
if (strange !== undefined) throw new RangeError(`Wanted models of ${MODEL_NAMES.join(', ')}, got ${strange}.`);
const budgetMs = Number(args.budget) * 1000;
if (!(budgetMs > 0)) throw new RangeError(`Wanted --budget in seconds above 0, got ${args.budget}.`);

const machine = describeMachine();
const { kind: algebra, notice } = chooseAlgebra();
console.log(`${machine.processor}, ${machine.processors} processors, node ${machine.node}, load ${machine.load}`);
console.log(`algebra ${algebra}${notice ? ` (${notice})` : ''}`);
const results = [];
for (const name of findDataSets(args.data)) results.push(await measureDataSet(name));
console.log(`\n${LEGEND}`);
if (args.json) {
  const { load: loadAfter } = describeMachine();
  const record = { machine, loadAfter, algebra, seeds, budgetMs, units: UNITS, legend: LEGEND.split('\n'), results };
  writeFileSync(args.json, `${JSON.stringify(record, null, 1)}\n`);
}

async function measureDataSet(name: string) {
  const runsByModel = new Map<string, ModelRun[]>(models.map((model) => [model, []]));
  for (const seed of seeds) {
    using file = writeForChildren(readDataSet(name, seed));
    for (const [model, runs] of runsByModel) {
      const run = await measureModel({ model, dataPath: file.path, seed, budgetMs });
      if (run) runs.push(run);
      console.error(
        `${name}, seed ${seed}: ${model} ${run ? `fitted in ${run.fitting.seconds.toFixed(1)} s` : 'does not fit these data'}`,
      );
    }
  }
  const { cutoff, protocol, train } = readDataSet(name, seeds[0] ?? 1);
  const { userCount, itemCount, userRows } = train;
  console.log(
    `\n${name}: ${userCount} users x ${itemCount} items, ${userRows.length} to train on; ${protocol}; seeds ${seeds.join(', ')}`,
  );
  const rows = summarizeModels(runsByModel);
  printRows(rows, cutoff);
  return { data: name, protocol, cutoff, userCount, itemCount, interactionCount: userRows.length, rows };
}

async function measureModel(task: ModelTask): Promise<ModelRun | null> {
  const module = fileURLToPath(import.meta.resolve('./accuracy/measure-model.ts'));
  return (await runInChild(module, task)) as ModelRun | null;
}
