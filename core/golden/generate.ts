// Writes checkerboard.json: the loss curve and final ego vectors of the dense float64 reference.
// Run with `node core/golden/generate.ts` after a change of sampling, initialisation or optimiser.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleTriples } from '../src/lightgcn/bpr.ts';
import type { Hyperparameters } from '../src/lightgcn/hyperparameters.ts';
import { createLightGcn } from '../src/lightgcn/light-gcn.ts';
import { shuffle } from '../src/random.ts';
import { createCheckerboard } from './checkerboard.ts';
import { createDenseAdam, denseLoss, denseOperator, differenceGradient, type Triple } from './dense-reference.ts';

const SIZE = 8;
const hyperparameters: Hyperparameters = {
  dimension: 4,
  layers: 2,
  learningRate: 0.05,
  regularization: 0.01,
  batchSize: 10,
  epochs: 12,
  patience: 12,
  seed: 7,
};

const { train } = createCheckerboard(SIZE);
const { graph, state, workspace } = createLightGcn(train, hyperparameters);
const dense = {
  userCount: SIZE,
  itemCount: SIZE,
  pairs: Array.from(train.userRows, (user, index) => [user, train.itemRows[index] ?? 0] as const),
  layers: hyperparameters.layers,
  dimension: hyperparameters.dimension,
  regularization: hyperparameters.regularization,
};
const operator = denseOperator(dense);
const ego = Float64Array.from(state.ego);
const adam = createDenseAdam(ego.length, hyperparameters.learningRate);
const losses: number[] = [];
for (let epoch = 0; epoch < hyperparameters.epochs; epoch++) {
  const order = workspace.trainableEdges.slice();
  shuffle(state.random, order);
  let sum = 0;
  for (let start = 0; start < order.length; start += hyperparameters.batchSize) {
    const edges = order.subarray(start, start + hyperparameters.batchSize);
    const { users, positives, negatives } = sampleTriples(graph, workspace.edgeUsers, edges, state.random);
    const batch = Array.from(users, (user, index): Triple => [user, positives[index] ?? 0, negatives[index] ?? 0]);
    const problem = { model: dense, operator, batch };
    sum += denseLoss(problem, ego) * batch.length;
    adam(ego, differenceGradient(problem, ego));
  }
  losses.push(sum / order.length);
}
const path = join(import.meta.dirname, 'checkerboard.json');
const rounded = (values: Iterable<number>) => Array.from(values, (value) => Number(value.toPrecision(10)));
const golden = { size: SIZE, hyperparameters, losses: rounded(losses), finalEgo: rounded(ego) };
writeFileSync(path, `${JSON.stringify(golden, null, 1)}\n`);
