// Fits one model to a random world in this fresh process and prints how the growth of the resident set compares with
// what the model's factory estimates before it fits:
//   node --expose-gc core/bench/recommender-memory.ts '{"kind":"ease","userCount":20000,"itemCount":4000,"interactionCount":400000}'
import { matrixOf } from '../golden/checkerboard.ts';
import type { InteractionMatrix } from '../src/interaction-matrix.ts';
import { bpr } from '../src/models/bpr.ts';
import { createContentFactory } from '../src/models/content-tower.ts';
import { ease } from '../src/models/ease.ts';
import { graphFilter } from '../src/models/graph-filter.ts';
import { ials } from '../src/models/ials.ts';
import { itemKnn } from '../src/models/item-knn.ts';
import { lightGcn } from '../src/models/lightgcn-recommender.ts';
import { popularity } from '../src/models/popularity-model.ts';
import { spectral } from '../src/models/spectral.ts';
import { watchPeakMemory } from './peak-memory.ts';
import { drawHeldOut } from './random-world.ts';
import { nextBelow, seedRandom } from '../src/random.ts';
import type { DataSize, RecommenderFactory } from '../src/recommender.ts';

const { kind, config, ...size } = {
  kind: 'spectral',
  userCount: 20_000,
  itemCount: 10_000,
  interactionCount: 500_000,
  config: {},
  ...(JSON.parse(process.argv[2] ?? '{}') as object),
};

function createTrain({ userCount, itemCount, interactionCount }: DataSize): InteractionMatrix {
  const random = seedRandom(1);
  const draw = (bound: number) => Int32Array.from({ length: interactionCount }, () => nextBelow(random, bound));
  return {
    ...matrixOf(userCount, itemCount, []),
    userRows: draw(userCount),
    itemRows: draw(itemCount),
    weights: new Float32Array(interactionCount).fill(1),
    timestamps: new Float64Array(interactionCount),
  };
}

async function measure<Config>(factory: RecommenderFactory<Config>): Promise<void> {
  const train = createTrain(size);
  const complete = { ...factory.defaultConfig(size), ...config };
  const validation = drawHeldOut(size, seedRandom(2));
  const peakSince = watchPeakMemory({ files: false });
  const model = await factory.fit(train, complete, { validation });
  const measuredMB = peakSince() / 1e6;
  const { peakBytes, modelBytes } = factory.estimateMemory(size, complete);
  const ratio = peakBytes / 1e6 / measuredMB;
  console.log(
    JSON.stringify({ kind: model.kind, measuredMB, estimatedMB: peakBytes / 1e6, ratio, modelMB: modelBytes / 1e6 }),
  );
}

const offsets = Int32Array.from({ length: size.itemCount + 1 }, (_, item) => item);
const content = createContentFactory({
  lists: { offsets, items: Int32Array.from({ length: size.itemCount }, (_, item) => item % 500) },
  featureCount: 500,
});
const measures: Record<string, () => Promise<void>> = {
  popularity: () => measure(popularity),
  'item-knn': () => measure(itemKnn),
  spectral: () => measure(spectral),
  'graph-filter': () => measure(graphFilter),
  ease: () => measure(ease),
  ials: () => measure(ials),
  bpr: () => measure(bpr),
  lightgcn: () => measure(lightGcn),
  content: () => measure(content),
};
const run = measures[kind];
if (!run) throw new RangeError(`Wanted one of ${Object.keys(measures).join(', ')}, got ${kind}.`);
await run();
