import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createCheckerboard, matrixOf } from '../../golden/checkerboard.ts';
import { denseLoss, denseOperator, differenceGradient, type Triple } from '../../golden/dense-reference.ts';
import { evaluateRanking } from '../evaluate.ts';
import type { InteractionMatrix } from '../interaction-matrix.ts';
import { nextBelow, seedRandom } from '../random.ts';
import { sampleTriples } from './bpr.ts';
import { buildGraph } from './graph.ts';
import { checkHyperparameters, defaultHyperparameters, type Hyperparameters } from './hyperparameters.ts';
import { createLightGcn, embeddings, estimateMemoryBytes, lossAndGradient, trainEpoch } from './light-gcn.ts';

const SETTINGS: Hyperparameters = {
  dimension: 8,
  layers: 2,
  learningRate: 0.05,
  regularization: 1e-4,
  batchSize: 64,
  epochs: 40,
  patience: 40,
  seed: 1,
};

function trainFor(train: InteractionMatrix, epochs: number, settings: Hyperparameters = SETTINGS) {
  const model = createLightGcn(train, settings);
  const losses = Array.from({ length: epochs }, () => trainEpoch(model).loss);
  return { model, losses };
}

describe('against the dense float64 reference', () => {
  const pairs = [
    [0, 0],
    [0, 1],
    [1, 1],
    [1, 2],
    [2, 0],
    [3, 3],
    [3, 1],
  ] as const;
  const train = matrixOf(5, 5, pairs);

  test.each([
    { layers: 0, dimension: 3, regularization: 0.1 },
    { layers: 1, dimension: 8, regularization: 0 },
    { layers: 2, dimension: 11, regularization: 0.1 },
    { layers: 3, dimension: 4, regularization: 0.01 },
  ])('loss and gradient agree within 1e-6 with $layers layers and dimension $dimension', (shape) => {
    const model = createLightGcn(train, { ...SETTINGS, ...shape });
    // Longer vectors than the initial ones, so that the gradient is far from zero.
    model.state.ego.forEach((value, index) => {
      model.state.ego[index] = value * 5;
    });
    const edges = Int32Array.from(model.workspace.trainableEdges);
    const batch = sampleTriples(model.graph, model.workspace.edgeUsers, edges, seedRandom(2));
    const triples = Array.from(
      batch.users,
      (user, index): Triple => [user, batch.positives[index] ?? 0, batch.negatives[index] ?? 0],
    );
    const dense = { userCount: 5, itemCount: 5, pairs, ...shape };
    const problem = { model: dense, operator: denseOperator(dense), batch: triples };
    const ego = Float64Array.from(model.state.ego);
    const { loss, gradient } = lossAndGradient(model, batch);
    expect(Math.abs(loss - denseLoss(problem, ego))).toBeLessThan(1e-6);
    const wanted = differenceGradient(problem, ego);
    expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(0.01);
    expect(Math.max(...wanted.map((value, index) => Math.abs(value - (gradient[index] ?? 0))))).toBeLessThan(1e-6);
  });

  test('the golden loss curve and final vectors are reproduced', () => {
    const path = join(import.meta.dirname, '../../golden/checkerboard.json');
    const golden = JSON.parse(readFileSync(path, 'utf8')) as {
      size: number;
      hyperparameters: Hyperparameters;
      losses: number[];
      finalEgo: number[];
    };
    const { model, losses } = trainFor(
      createCheckerboard(golden.size).train,
      golden.losses.length,
      golden.hyperparameters,
    );
    losses.forEach((loss, epoch) => expect(Math.abs(loss - (golden.losses[epoch] ?? 0))).toBeLessThan(1e-5));
    golden.finalEgo.forEach((value, index) =>
      expect(Math.abs(value - (model.state.ego[index] ?? 0))).toBeLessThan(1e-4),
    );
  });
});

describe('training', () => {
  test('in a checkerboard world the withheld item comes first for every user', () => {
    const { train, withheld } = createCheckerboard(16);
    const { users, items, dimension } = embeddings(trainFor(train, 40).model);
    const heldOut = matrixOf(
      16,
      16,
      withheld.map((item, user) => [user, item] as const),
    );
    const metrics = evaluateRanking({ userVectors: users, itemVectors: items, dimension }, train, heldOut);
    expect(metrics.ndcgAt10).toBe(1);
  });

  test('the defaults bring the withheld item first in a small world too', () => {
    const { train, withheld } = createCheckerboard(20);
    const settings = defaultHyperparameters({ interactionCount: train.userRows.length });
    const { users, items, dimension } = embeddings(trainFor(train, settings.epochs, settings).model);
    const pairs = withheld.map((item, user) => [user, item] as const);
    const metrics = evaluateRanking(
      { userVectors: users, itemVectors: items, dimension },
      train,
      matrixOf(20, 20, pairs),
    );
    expect(metrics.ndcgAt10).toBe(1);
  });

  test('the loss falls', () => {
    const { losses } = trainFor(createCheckerboard(16).train, 20);
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2);
  });

  test('one seed gives the same bits, another seed others', () => {
    const { train } = createCheckerboard(12);
    const run = (seed: number) => trainFor(train, 5, { ...SETTINGS, seed }).model.state.ego;
    expect(run(3)).toEqual(run(3));
    expect(run(3)).not.toEqual(run(4));
  });

  test('repeated interactions and their order change nothing', () => {
    const { train } = createCheckerboard(8);
    const doubled = matrixOf(
      8,
      8,
      [...train.userRows, ...train.userRows]
        .map((user, index) => [user, train.itemRows[index % train.itemRows.length] ?? 0] as const)
        .toReversed(),
    );
    expect(trainFor(doubled, 3).model.state.ego).toEqual(trainFor(train, 3).model.state.ego);
  });

  test('one user with some of the items trains', () => {
    const { losses, model } = trainFor(
      matrixOf(1, 3, [
        [0, 0],
        [0, 1],
      ]),
      10,
    );
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(embeddings(model).users).toHaveLength(8);
  });

  test('users who have every item are skipped, the others train', () => {
    const model = createLightGcn(
      matrixOf(2, 2, [
        [0, 0],
        [0, 1],
        [1, 0],
      ]),
      SETTINGS,
    );
    expect(trainEpoch(model).sampleCount).toBe(1);
  });

  test('users and items without interactions keep finite vectors', () => {
    const { model } = trainFor(
      matrixOf(4, 6, [
        [1, 2],
        [1, 3],
        [2, 2],
      ]),
      10,
    );
    const { users, items } = embeddings(model);
    expect([...users, ...items].every(Number.isFinite)).toBe(true);
  });

  test('no interactions are refused as EMPTY', () => {
    expect(() => createLightGcn(matrixOf(2, 2, []), SETTINGS)).toThrow(expect.objectContaining({ reason: 'EMPTY' }));
  });

  test('a single item for everybody is refused as NO_NEGATIVES', () => {
    const oneItem = matrixOf(2, 1, [
      [0, 0],
      [1, 0],
    ]);
    expect(() => createLightGcn(oneItem, SETTINGS)).toThrow(expect.objectContaining({ reason: 'NO_NEGATIVES' }));
  });

  test('vectors that are no longer finite end training with a named error', () => {
    const { model } = trainFor(createCheckerboard(8).train, 1);
    model.state.ego[0] = Number.NaN;
    expect(() => trainEpoch(model)).toThrow(expect.objectContaining({ name: 'TrainingDivergedError' }));
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
])('hyperparameters with %o are refused by name', (wrong) => {
  const [name = ''] = Object.keys(wrong);
  const check = () => checkHyperparameters({ ...SETTINGS, ...wrong });
  expect(check).toThrow(expect.objectContaining({ name: 'HyperparameterError' }));
  expect(check).toThrow(name);
});

test.each([0, 1, 100, 100_000, 50_000_000])('the defaults for %i interactions are valid', (interactionCount) => {
  const defaults = defaultHyperparameters({ interactionCount });
  expect(checkHyperparameters(defaults)).toBe(defaults);
});

test('the memory estimate grows with every size', () => {
  const size = { userCount: 671, itemCount: 9066, interactionCount: 80_000, dimension: 64 };
  const base = estimateMemoryBytes(size);
  for (const name of Object.keys(size) as (keyof typeof size)[]) {
    expect(estimateMemoryBytes({ ...size, [name]: size[name] * 2 })).toBeGreaterThan(base);
  }
});
