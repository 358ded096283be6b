// Fits every model on every public data set and prints what it ranks:
//   node core/bench/accuracy.ts [--data NAME] [--model NAME] [--seed N] [--budget SECONDS] [--json FILE]
// Data in KINDRED_DATA_DIR. Full ranking, training items left out; the protocol of each set is printed above its table.
// `chosen` is what `chooseModel` takes on a validation part of the training data within the budget. `gowalla` is
// measured only where it is named: choices are made on `gowalla-valid`.
import { existsSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { DataSize, FitOptions, Recommender, RecommenderFactory } from '../src/recommender.ts';
import { bpr } from '../src/models/bpr.ts';
import { chooseAlgebra } from '../src/models/choose-algebra.ts';
import { chooseModel } from '../src/models/choose-model.ts';
import { createContentFactory } from '../src/models/content-tower.ts';
import { ease } from '../src/models/ease.ts';
import { chebyshevConfig, graphFilter } from '../src/models/graph-filter.ts';
import { ials } from '../src/models/ials.ts';
import { itemKnn } from '../src/models/item-knn.ts';
import { lightGcn } from '../src/models/lightgcn-recommender.ts';
import { measureRanking } from '../src/models/measure-ranking.ts';
import { popularity } from '../src/models/popularity-model.ts';
import { spectral } from '../src/models/spectral.ts';
import { splitPerUser } from '../src/split.ts';
import { type DataSet, dataFolder } from './data/data-set.ts';
import { readGowalla } from './data/gowalla.ts';
import {
  readMovieLens100k,
  readMovieLens1m,
  readMovieLens1mTemporal,
  readMovieLensLatestSmall,
} from './data/movielens.ts';
import { measureUse } from './measure-use.ts';

interface Fitted {
  readonly recommender: Recommender;
  readonly note: string;
}

const { values: args } = parseArgs({
  options: {
    data: { type: 'string' },
    model: { type: 'string' },
    seed: { type: 'string', default: '1' },
    budget: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});
const seed = Number(args.seed);
const budgetMs = Number(args.budget) * 1000;

const DATA_SETS: Record<string, () => DataSet> = {
  'ml-100k': () => readMovieLens100k(seed),
  'ml-latest-small': () => readMovieLensLatestSmall(seed),
  'ml-1m': () => readMovieLens1m(seed),
  'ml-1m-temporal': readMovieLens1mTemporal,
  'gowalla-valid': () => readGowalla({ validation: true }),
  gowalla: () => readGowalla(),
};

function sizeOf({ train }: DataSet): DataSize {
  return { userCount: train.userCount, itemCount: train.itemCount, interactionCount: train.userRows.length };
}

async function fitDefault<Config>(factory: RecommenderFactory<Config>, data: DataSet, options: FitOptions = {}) {
  const config = factory.defaultConfig(sizeOf(data));
  return { recommender: await factory.fit(data.train, config, options), note: JSON.stringify(config) };
}

const MODELS: Record<string, (data: DataSet) => Promise<Fitted | null>> = {
  popularity: (data) => fitDefault(popularity, data),
  'item-knn': (data) => fitDefault(itemKnn, data),
  spectral: (data) => fitDefault(spectral, data),
  'gf-cf': (data) => fitDefault(graphFilter, data),
  'cheby-cf': async (data) => {
    const config = chebyshevConfig(sizeOf(data));
    return { recommender: await graphFilter.fit(data.train, config), note: JSON.stringify(config) };
  },
  ease: async (data) => (data.train.itemCount > 12_000 ? null : fitDefault(ease, data)),
  ials: (data) => fitDefault(ials, data),
  bpr: (data) => fitDefault(bpr, data),
  content: async ({ itemFeatures, ...data }) => {
    if (!itemFeatures) return null;
    const featureCount = itemFeatures.items.reduce((most, feature) => Math.max(most, feature), -1) + 1;
    return fitDefault(createContentFactory({ lists: itemFeatures, featureCount }), { ...data, itemFeatures });
  },
  lightgcn: (data) => {
    const split = splitPerUser(data.train, { strategy: 'random', validationShare: 0.1, testShare: 0, seed });
    return fitDefault(lightGcn, { ...data, train: split.train }, { validation: split.validation });
  },
  chosen: async (data) => {
    const choice = await chooseModel(data.train, { budgetMs, seed });
    const measured = choice.trials.filter(({ ndcg }) => ndcg !== null).length;
    const note = `${choice.kind} ${JSON.stringify(choice.config)} of ${measured} measured`;
    return { recommender: choice.recommender, note };
  },
};

async function benchModel(name: string, data: DataSet) {
  const fit = MODELS[name];
  if (!fit) throw new RangeError(`Wanted a model of ${Object.keys(MODELS).join(', ')}, got ${name}.`);
  const { result: fitted, ...fitting } = await measureUse(() => fit(data));
  if (!fitted) return null;
  const { recommender, note } = fitted;
  const { cutoff, train, test } = data;
  const { result: ranking, ...scoring } = await measureUse(() => measureRanking(recommender, train, test, { cutoff }));
  // A model without vectors scores its own users from their histories already.
  const folded = recommender.vectors
    ? await measureRanking(recommender, train, test, { cutoff, foldIn: true })
    : ranking;
  const { recall, ndcg, userCount } = ranking;
  return {
    data: data.name,
    model: name,
    cutoff,
    userCount,
    recall,
    ndcg,
    foldInNdcg: folded.ndcg,
    fitting,
    scoring,
    note,
  };
}

function printRow(row: NonNullable<Awaited<ReturnType<typeof benchModel>>>): void {
  const cells = [
    row.model.padEnd(11),
    row.recall.toFixed(4),
    row.ndcg.toFixed(4),
    row.foldInNdcg.toFixed(4).padStart(8),
    row.fitting.seconds.toFixed(2).padStart(8),
    row.fitting.cpuSeconds.toFixed(2).padStart(8),
    row.fitting.peakMegabytes.toFixed(0).padStart(8),
    row.scoring.seconds.toFixed(2).padStart(8),
    row.scoring.cpuSeconds.toFixed(2).padStart(8),
    row.note,
  ];
  console.log(cells.join('  '));
}

const wanted = args.data?.split(',') ?? Object.keys(DATA_SETS).filter((name) => name !== 'gowalla');
const { kind, notice } = chooseAlgebra();
console.log(
  `algebra: ${kind}${notice ? ` (${notice})` : ''}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}`,
);
const rows = [];
for (const name of wanted) {
  const read = DATA_SETS[name];
  if (!read) throw new RangeError(`Wanted data of ${Object.keys(DATA_SETS).join(', ')}, got ${name}.`);
  if (!existsSync(join(dataFolder, name))) {
    console.log(`${name}: not in ${dataFolder}, passed over`);
    continue;
  }
  const data = read();
  const { cutoff, train } = data;
  console.log(
    `\n${name}: ${train.userCount} users x ${train.itemCount} items, ${train.userRows.length} to train on; ${data.protocol}`,
  );
  console.log(
    `model        R@${cutoff}    N@${cutoff}   fold-in     fit s     CPU s    peak MB  score s    CPU s  configuration`,
  );
  for (const model of args.model?.split(',') ?? Object.keys(MODELS)) {
    const row = await benchModel(model, data);
    if (row) rows.push(row);
    if (row) printRow(row);
    else console.log(`${model.padEnd(11)}  does not fit this data`);
  }
}
if (args.json) writeFileSync(args.json, `${JSON.stringify({ algebra: kind, seed, load: loadavg(), rows }, null, 2)}\n`);
