// MovieLens ml-latest-small, every rating a positive interaction: popularity and the instant first model beside LightGCN
// with both losses and their defaults, by the trained user vectors and by folding the same users in. The platform trains
// with the softmax unless told otherwise. `npm run bench:movielens -- [--split temporal|random]
// [--seeds 3] [--json FILE]`; KINDRED_DATA_DIR as in tests.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { evaluateRanking } from '../src/evaluate.ts';
import { type FoldableVectors, makeFoldable } from '../src/foldable-vectors.ts';
import { foldInUser } from '../src/fold-in.ts';
import { fitInstantModel } from '../src/instant-model.ts';
import { countUsersByItem, type InteractionMatrix, listItemsByUser } from '../src/interaction-matrix.ts';
import { type LossName, resolveHyperparameters } from '../src/lightgcn/hyperparameters.ts';
import {
  bestEmbeddings,
  closeTraining,
  createTraining,
  isTrainingFinished,
  trainNextEpoch,
} from '../src/lightgcn/training.ts';
import { popularityScores } from '../src/popularity.ts';
import { type InteractionSplit, splitPerUser } from '../src/split.ts';
import { readMovieLens } from './read-movielens.ts';

interface Row {
  model: string;
  seed: number;
  ndcgAt10: number;
  foldedNdcgAt10: number | null;
  epochs: number;
  seconds: number;
}

const { values: options } = parseArgs({
  options: {
    split: { type: 'string', default: 'temporal' },
    seeds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});
const strategy = options.split === 'random' ? 'random' : 'temporal';
const dataFolder = process.env.KINDRED_DATA_DIR ?? join(import.meta.dirname, '../../../shared/data');
const matrix = readMovieLens(dataFolder);
console.log(`${matrix.userCount} users x ${matrix.itemCount} items, ${matrix.userRows.length} interactions`);
console.log(`${strategy} split per user 80/10/10, full ranking, train and validation items masked`);

const rows: Row[] = [];
for (let seed = 1; seed <= Number(options.seeds); seed++) {
  const split = splitPerUser(matrix, { strategy, validationShare: 0.1, testShare: 0.1, seed });
  rows.push(
    measurePopularity(split, seed),
    await measureInstantModel(split, seed),
    await measureLightGcn(split, 'bpr', seed),
    await measureLightGcn(split, 'softmax', seed),
  );
}
printTable(rows);
if (options.json)
  writeFileSync(options.json, `${JSON.stringify({ split: strategy, unit: 'NDCG@10, 0-1', rows }, null, 2)}\n`);

function measurePopularity({ train, validation, test }: InteractionSplit, seed: number): Row {
  const { ndcgAt10 } = evaluateRanking({ scores: popularityScores(train) }, train, test, { masked: validation });
  return { model: 'popularity', seed, ndcgAt10, foldedNdcgAt10: null, epochs: 0, seconds: 0 };
}

async function measureInstantModel(split: InteractionSplit, seed: number): Promise<Row> {
  const startedAt = performance.now();
  const model = await fitInstantModel(split.train);
  const seconds = (performance.now() - startedAt) / 1000;
  return { model: 'spectral, instant', seed, ...measureVectors(model, split), epochs: 0, seconds };
}

async function measureLightGcn(split: InteractionSplit, loss: LossName, seed: number): Promise<Row> {
  const { train, validation } = split;
  const { userCount, itemCount } = train;
  const size = { userCount, itemCount, interactionCount: train.userRows.length };
  const startedAt = performance.now();
  const training = await createTraining(train, validation, resolveHyperparameters(size, { loss, seed }));
  while (!isTrainingFinished(training)) await trainNextEpoch(training);
  const seconds = (performance.now() - startedAt) / 1000;
  const vectors = await makeFoldable(train, await bestEmbeddings(training));
  closeTraining(training);
  const { epoch: epochs } = training.model.state;
  return { model: `LightGCN ${loss}`, seed, ...measureVectors(vectors, split), epochs, seconds };
}

/** By the fitted user vectors, and by those that the same users are folded in to. */
function measureVectors(model: FoldableVectors, { train, validation, test }: InteractionSplit) {
  const { dimension, users, items } = model;
  const measure = (userVectors: Float32Array): number =>
    evaluateRanking({ userVectors, itemVectors: items, dimension }, train, test, { masked: validation }).ndcgAt10;
  const folded = foldInEverybody({ ...model, itemDegrees: countUsersByItem(train) }, train);
  return { ndcgAt10: measure(users), foldedNdcgAt10: measure(folded) };
}

function foldInEverybody(model: Parameters<typeof foldInUser>[0], train: InteractionMatrix): Float32Array {
  const { offsets, items } = listItemsByUser(train);
  const folded = new Float32Array(train.userCount * model.dimension);
  for (let user = 0; user < train.userCount; user++) {
    folded.set(foldInUser(model, items.subarray(offsets[user], offsets[user + 1])), user * model.dimension);
  }
  return folded;
}

function printTable(all: readonly Row[]): void {
  console.log('\nmodel              NDCG@10           folded in   epochs   seconds');
  for (const model of new Set(all.map((row) => row.model))) {
    const own = all.filter((row) => row.model === model);
    const { mean, deviation } = summarize(own.map((row) => row.ndcgAt10));
    const folded = own.flatMap((row) => row.foldedNdcgAt10 ?? []);
    const cells = [
      model.padEnd(17),
      `${mean.toFixed(4)} ± ${deviation.toFixed(4)}`,
      (folded.length > 0 ? summarize(folded).mean.toFixed(4) : '-').padStart(9),
      summarize(own.map((row) => row.epochs))
        .mean.toFixed(0)
        .padStart(6),
      summarize(own.map((row) => row.seconds))
        .mean.toFixed(1)
        .padStart(7),
    ];
    console.log(cells.join('   '));
  }
}

function summarize(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(1, values.length - 1)) };
}
