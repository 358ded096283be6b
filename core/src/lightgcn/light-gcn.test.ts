import { describe, expect, test } from 'vitest';
import { createCheckerboard, matrixOf } from '../../golden/checkerboard.ts';
import { evaluateRanking } from '../evaluate.ts';
import type { InteractionMatrix } from '../interaction-matrix.ts';
import { nextBelow, seedRandom } from '../random.ts';
import { SETTINGS } from './backend-suite.ts';
import { sampleTriples } from './bpr.ts';
import { buildGraph } from './graph.ts';
import {
  checkHyperparameters,
  defaultHyperparameters,
  type Hyperparameters,
  resolveHyperparameters,
} from './hyperparameters.ts';
import { createLightGcn, embeddings, trainEpoch } from './light-gcn.ts';

async function trainFor(train: InteractionMatrix, epochs: number, settings: Hyperparameters = SETTINGS) {
  const model = await createLightGcn(train, settings);
  const losses: number[] = [];
  while (losses.length < epochs) losses.push((await trainEpoch(model)).loss);
  return { model, losses };
}

describe('training', () => {
  test('the defaults bring the withheld item first in a small world too', async () => {
    const { train, withheld } = createCheckerboard(20);
    const settings = defaultHyperparameters({ interactionCount: train.userRows.length });
    const { users, items, dimension } = await embeddings((await trainFor(train, settings.epochs, settings)).model);
    const pairs = withheld.map((item, user) => [user, item] as const);
    const metrics = evaluateRanking(
      { userVectors: users, itemVectors: items, dimension },
      train,
      matrixOf(20, 20, pairs),
    );
    expect(metrics.ndcgAt10).toBe(1);
  });

  test('the loss falls', async () => {
    const { losses } = await trainFor(createCheckerboard(16).train, 20);
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2);
  });

  test('repeated interactions and their order change nothing', async () => {
    const { train } = createCheckerboard(8);
    const doubled = matrixOf(
      8,
      8,
      [...train.userRows, ...train.userRows]
        .map((user, index) => [user, train.itemRows[index % train.itemRows.length] ?? 0] as const)
        .toReversed(),
    );
    const once = await trainFor(train, 3);
    expect((await trainFor(doubled, 3)).model.state.ego).toEqual(once.model.state.ego);
  });

  test('users who have every item are skipped, the others train', async () => {
    const model = await createLightGcn(
      matrixOf(2, 2, [
        [0, 0],
        [0, 1],
        [1, 0],
      ]),
      SETTINGS,
    );
    expect((await trainEpoch(model)).sampleCount).toBe(1);
  });

  test('no interactions are refused as EMPTY', async () => {
    await expect(createLightGcn(matrixOf(2, 2, []), SETTINGS)).rejects.toMatchObject({ reason: 'EMPTY' });
  });

  test('a single item for everybody is refused as NO_NEGATIVES', async () => {
    const oneItem = matrixOf(2, 1, [
      [0, 0],
      [1, 0],
    ]);
    await expect(createLightGcn(oneItem, SETTINGS)).rejects.toMatchObject({ reason: 'NO_NEGATIVES' });
  });
});

test('the length exponent changes the lengths of item vectors alone', async () => {
  const { train } = createCheckerboard(8);
  const [whole, half, unit] = await Promise.all(
    [1, 0.5, 0].map(async (lengthExponent) => embeddings(await createLightGcn(train, { ...SETTINGS, lengthExponent }))),
  );
  expect(half?.users).toEqual(whole?.users);
  const lengths = (items: Float32Array = new Float32Array(0)) =>
    Array.from({ length: 8 }, (_, item) => Math.hypot(...items.subarray(item * 8, (item + 1) * 8)));
  lengths(whole?.items).forEach((length, item) => {
    expect(lengths(half?.items)[item]).toBeCloseTo(Math.sqrt(length), 5);
    expect(lengths(unit?.items)[item]).toBeCloseTo(1, 5);
  });
});

test('negatives are never items of the user and cover all others evenly', () => {
  const graph = buildGraph(
    matrixOf(1, 6, [
      [0, 0],
      [0, 3],
      [0, 5],
    ]),
  );
  const edges = new Int32Array(30_000);
  const { negatives } = sampleTriples(graph, new Int32Array(graph.edgeCount), edges, seedRandom(1));
  const counts = Map.groupBy(negatives, (node) => node - 1);
  expect([...counts.keys()].toSorted((a, b) => a - b)).toEqual([1, 2, 4]);
  for (const group of counts.values()) expect(Math.abs(group.length - 10_000)).toBeLessThan(400);
});

test('the graph holds every pair in both directions, sorted', () => {
  const random = seedRandom(1);
  const graph = buildGraph(
    matrixOf(
      7,
      9,
      Array.from({ length: 40 }, () => [nextBelow(random, 7), nextBelow(random, 9)] as const),
    ),
  );
  const edges = (node: number) => [...graph.neighbors.subarray(graph.offsets[node], graph.offsets[node + 1])];
  for (let node = 0; node < graph.nodeCount; node++) {
    expect(edges(node)).toEqual(edges(node).toSorted((a, b) => a - b));
    for (const neighbor of edges(node)) expect(edges(neighbor)).toContain(node);
  }
});

test.each([
  { dimension: 0 },
  { layers: -1 },
  { layers: 1.5 },
  { learningRate: 0 },
  { learningRate: Number.NaN },
  { regularization: -1 },
  { batchSize: 0 },
  { epochs: 0 },
  { seed: 0.5 },
  { loss: 'hinge' },
  { outputLayers: [] },
  { outputLayers: [1, 1] },
  { outputLayers: [3] },
  { initialDeviation: 0 },
  { temperature: 0.01 },
  { secondTemperature: 0 },
  { logQCorrection: -1 },
  { negatives: 0 },
  { negativesGrowth: 0.5 },
  { userGroup: 0 },
  { lengthExponent: -1 },
])('hyperparameters with %o are refused by name', (wrong) => {
  const [name = ''] = Object.keys(wrong);
  const check = () => checkHyperparameters({ ...SETTINGS, ...(wrong as Partial<Hyperparameters>) });
  expect(check).toThrow(expect.objectContaining({ name: 'HyperparameterError' }));
  expect(check).toThrow(name);
});

test.each([0, 1, 100, 100_000, 50_000_000])('the defaults for %i interactions are valid', (interactionCount) => {
  const defaults = defaultHyperparameters({ interactionCount });
  expect(checkHyperparameters(defaults)).toBe(defaults);
});

const SIZE = { userCount: 600, itemCount: 9000, interactionCount: 80_000 };

test('a training without settings takes the defaults for its data, complete', () => {
  const resolved = resolveHyperparameters(SIZE, {});
  expect(resolved).toMatchObject({ ...defaultHyperparameters(SIZE), loss: 'softmax', secondTemperature: 1 });
  expect(resolved.negatives).toBe(resolved.batchSize);
  expect(resolveHyperparameters({ ...SIZE, interactionCount: 5000 }, {}).batchSize).toBeLessThan(resolved.batchSize);
});

test('what a person sets stands, and the rest follows it', () => {
  const resolved = resolveHyperparameters(SIZE, { batchSize: 100, temperature: 0.3 });
  expect(resolved).toMatchObject({ batchSize: 100, negatives: 100, temperature: 0.3, learningRate: 0.01 });
});

test('the other loss brings its own defaults, and nothing that only the softmax reads', () => {
  const resolved = resolveHyperparameters(SIZE, { loss: 'bpr', temperature: 0.3, epochs: 7 });
  expect(resolved).toMatchObject({ loss: 'bpr', layers: 2, epochs: 7, lengthExponent: 1, userGroup: 1 });
  expect(Object.keys(resolved)).not.toContain('temperature');
  expect(Object.keys(resolved)).not.toContain('negatives');
});
