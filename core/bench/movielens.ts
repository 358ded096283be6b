// Trains LightGCN with the default hyperparameters on MovieLens ml-latest-small (every rating a positive) and prints
// test NDCG@10 beside popularity: `node core/bench/movielens.ts [temporal|random] [seeds]`, KINDRED_DATA_DIR as in tests.
import { join } from 'node:path';
import { evaluateRanking, type RankingMetrics } from '../src/evaluate.ts';
import { defaultHyperparameters } from '../src/lightgcn/hyperparameters.ts';
import { bestEmbeddings, createTraining, isTrainingFinished, trainNextEpoch } from '../src/lightgcn/training.ts';
import { popularityScores } from '../src/popularity.ts';
import { splitPerUser } from '../src/split.ts';
import { readMovieLens } from './read-movielens.ts';

const strategy = process.argv[2] === 'random' ? 'random' : 'temporal';
const seedCount = Number(process.argv[3] ?? 3);
const dataFolder = process.env.KINDRED_DATA_DIR ?? join(import.meta.dirname, '../../../shared/data');
const matrix = readMovieLens(dataFolder);
const format = (metrics: RankingMetrics) =>
  Object.entries(metrics)
    .map(([name, value]) => `${name} ${(value as number).toFixed(4)}`)
    .join('  ');

console.log(`${matrix.userCount} users x ${matrix.itemCount} items, ${matrix.userRows.length} interactions`);
console.log(`${strategy} split per user 80/10/10, full ranking, train and validation items masked`);
const ndcg: number[] = [];
for (let seed = 1; seed <= seedCount; seed++) {
  const { train, validation, test } = splitPerUser(matrix, { strategy, validationShare: 0.1, testShare: 0.1, seed });
  const popularity = evaluateRanking({ scores: popularityScores(train) }, train, test, { masked: validation });
  console.log(`seed ${seed}  popularity  ${format(popularity)}`);
  const training = createTraining(train, validation, {
    ...defaultHyperparameters({ interactionCount: train.userRows.length }),
    seed,
  });
  const started = performance.now();
  while (!isTrainingFinished(training)) trainNextEpoch(training);
  const seconds = (performance.now() - started) / 1000;
  const { users, items, dimension } = bestEmbeddings(training);
  const ranker = { userVectors: users, itemVectors: items, dimension };
  const metrics = evaluateRanking(ranker, train, test, { masked: validation });
  ndcg.push(metrics.ndcgAt10);
  const { epoch } = training.model.state;
  const course = `best epoch ${training.best?.epoch} of ${epoch}, ${(seconds / epoch).toFixed(2)} s each, ${seconds.toFixed(0)} s`;
  console.log(`seed ${seed}  LightGCN    ${format(metrics)}  (${course})`);
}
const mean = ndcg.reduce((sum, value) => sum + value, 0) / ndcg.length;
const deviation = Math.sqrt(ndcg.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, ndcg.length - 1));
console.log(`LightGCN test NDCG@10 ${mean.toFixed(4)} +- ${deviation.toFixed(4)} over ${seedCount} seeds`);
