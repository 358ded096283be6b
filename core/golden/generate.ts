// Writes checkerboard.json and checkerboard-softmax.json: loss curves and final ego vectors of the dense float64
// reference. Run with `node core/golden/generate.ts` after a change of sampling, initialisation or optimiser.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sampleTriples } from '../src/lightgcn/bpr.ts';
import { orderEpoch } from '../src/lightgcn/epoch-order.ts';
import type { Hyperparameters } from '../src/lightgcn/hyperparameters.ts';
import { createLightGcn, softmaxSettings } from '../src/lightgcn/light-gcn.ts';
import { createCheckerboard } from './checkerboard.ts';
import {
  createDenseAdam,
  denseLoss,
  denseOperator,
  denseSoftmaxLoss,
  differenceGradient,
  type Pair,
  type Triple,
} from './dense-reference.ts';

const SIZE = 8;
const SHARED = {
  dimension: 4,
  layers: 2,
  learningRate: 0.05,
  regularization: 0.01,
  batchSize: 10,
  epochs: 12,
  patience: 12,
  seed: 7,
};

await writeGolden('checkerboard.json', SHARED);
await writeGolden('checkerboard-softmax.json', {
  ...SHARED,
  loss: 'softmax',
  outputLayers: [0, 2],
  initialDeviation: 0.3,
  temperature: 0.2,
  secondTemperature: 0.9,
  logQCorrection: 0.5,
  negatives: 4,
  negativesGrowth: 1.2,
  userGroup: 2,
});

async function writeGolden(file: string, hyperparameters: Hyperparameters): Promise<void> {
  const { train } = createCheckerboard(SIZE);
  const model = await createLightGcn(train, hyperparameters, { backend: 'reference' });
  const { graph, state, workspace } = model;
  const dense = {
    ...model.hyperparameters,
    userCount: SIZE,
    itemCount: SIZE,
    pairs: Array.from(train.userRows, (user, index) => [user, train.itemRows[index] ?? 0] as const),
  };
  const operator = denseOperator(dense);
  const ego = Float64Array.from(state.ego);
  const adam = createDenseAdam(ego.length, hyperparameters.learningRate);

  /** The loss of the batch of `edges` as a function of the ego vectors. */
  const lossOf = (edges: Int32Array): ((at: Float64Array) => number) => {
    if (model.hyperparameters.loss === 'bpr') {
      const { users, positives, negatives } = sampleTriples(graph, workspace.edgeUsers, edges, state.random);
      const batch = Array.from(users, (user, index): Triple => [user, positives[index] ?? 0, negatives[index] ?? 0]);
      return (at) => denseLoss({ model: dense, operator, batch }, at);
    }
    const { chunkSize, temperature, secondTemperature } = softmaxSettings(model, edges.length);
    const pairs = Array.from(edges, (edge): Pair => [workspace.edgeUsers[edge] ?? 0, graph.neighbors[edge] ?? 0]);
    const chunks = Array.from({ length: Math.ceil(pairs.length / chunkSize) }, (_, chunk) =>
      pairs.slice(chunk * chunkSize, (chunk + 1) * chunkSize),
    );
    const itemBias = Array.from(workspace.itemBias);
    return (at) => denseSoftmaxLoss({ model: dense, operator, chunks, temperature, secondTemperature, itemBias }, at);
  };

  const losses: number[] = [];
  for (; state.epoch < hyperparameters.epochs; state.epoch++) {
    const order = orderEpoch(workspace, model.hyperparameters.userGroup, state.random);
    let sum = 0;
    for (let start = 0; start < order.length; start += hyperparameters.batchSize) {
      const edges = order.subarray(start, start + hyperparameters.batchSize);
      const lossAt = lossOf(edges);
      sum += lossAt(ego) * edges.length;
      adam(ego, differenceGradient(lossAt, ego));
    }
    losses.push(sum / order.length);
  }
  const rounded = (values: Iterable<number>) => Array.from(values, (value) => Number(value.toPrecision(10)));
  const golden = { size: SIZE, hyperparameters, losses: rounded(losses), finalEgo: rounded(ego) };
  writeFileSync(join(import.meta.dirname, file), `${JSON.stringify(golden, null, 1)}\n`);
}
