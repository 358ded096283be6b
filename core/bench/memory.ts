// Trains a few epochs of a random world in this fresh process, ranks every user and saves between them as the workers do,
// and prints how the growth of the resident set compares with the preflight's estimate:
//   node --expose-gc core/bench/memory.ts '{"userCount":40000,"itemCount":20000,"interactionCount":1000000,"backend":"native"}'
import { matrixOf } from '../golden/checkerboard.ts';
import { drawHeldOut } from './random-world.ts';
import type { BackendKind } from '../src/lightgcn/backend.ts';
import { estimateMemoryBytes } from '../src/lightgcn/memory-estimate.ts';
import { createTraining, saveTraining, trainNextEpoch } from '../src/lightgcn/training.ts';
import { nextBelow, seedRandom } from '../src/random.ts';

const size = {
  userCount: 40_000,
  itemCount: 20_000,
  interactionCount: 1_000_000,
  dimension: 64,
  layers: 1,
  batchSize: 16_384,
  loss: 'softmax' as 'softmax' | 'bpr',
  backend: 'native' as BackendKind,
  threads: 2,
  ...(JSON.parse(process.argv[2] ?? '{}') as object),
};
const baseline = process.memoryUsage.rss();
const random = seedRandom(1);
const { userCount, itemCount, interactionCount } = size;
const columns = matrixOf(userCount, itemCount, []);
const train = {
  ...columns,
  userRows: Int32Array.from({ length: interactionCount }, () => nextBelow(random, userCount)),
  itemRows: Int32Array.from({ length: interactionCount }, () => nextBelow(random, itemCount)),
  weights: new Float32Array(interactionCount).fill(1),
  timestamps: Float64Array.from({ length: interactionCount }, (_, position) => position),
};
const validation = drawHeldOut(size, random);
const hyperparameters = {
  ...size,
  learningRate: 0.001,
  regularization: 0,
  epochs: 3,
  patience: 3,
  seed: 1,
  negatives: Math.min(size.batchSize, 8192),
  userGroup: size.loss === 'softmax' ? 64 : 1,
};
const training = await createTraining(train, validation, hyperparameters, {
  backend: size.backend,
  threads: size.threads,
});
let savedBytes = 0;
for (let epoch = 0; epoch < 2; epoch++) {
  await trainNextEpoch(training);
  savedBytes = saveTraining(training).length;
}
const measuredMB = (process.resourceUsage().maxRSS * 1024 - baseline) / 1e6;
const estimatedMB = estimateMemoryBytes(size) / 1e6;
const ratio = estimatedMB / measuredMB;
console.log(
  JSON.stringify({ backend: training.model.backend.kind, measuredMB, estimatedMB, ratio, savedMB: savedBytes / 1e6 }),
);
