import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { createCheckerboard, matrixOf } from '../../golden/checkerboard.ts';
import {
  denseLoss,
  denseOperator,
  denseSoftmaxLoss,
  differenceGradient,
  type Pair,
  type Triple,
} from '../../golden/dense-reference.ts';
import { evaluateRanking } from '../evaluate.ts';
import type { InteractionMatrix } from '../interaction-matrix.ts';
import { nextBelow, seedRandom } from '../random.ts';
import type { BackendOptions } from './backend.ts';
import { sampleTriples } from './bpr.ts';
import { loadLightGcn, saveLightGcn } from './checkpoint.ts';
import type { Hyperparameters } from './hyperparameters.ts';
import {
  createLightGcn,
  embeddings,
  type LightGcn,
  lossAndGradient,
  softmaxSettings,
  trainEpoch,
} from './light-gcn.ts';

export const SETTINGS: Hyperparameters = {
  dimension: 8,
  layers: 2,
  learningRate: 0.05,
  regularization: 1e-4,
  batchSize: 64,
  epochs: 40,
  patience: 40,
  seed: 1,
};

const SOFTMAX = { loss: 'softmax', initialDeviation: 0.1, temperature: 0.2, negatives: 32 } as const;

interface Golden {
  readonly size: number;
  readonly hyperparameters: Hyperparameters;
  readonly losses: number[];
  readonly finalEgo: number[];
}

/** A random world: some users and items are far more popular than others; some have nothing. */
export function createRandomWorld(userCount: number, itemCount: number, pairCount: number): InteractionMatrix {
  const random = seedRandom(9);
  const skewed = (count: number) => Math.floor(count * (nextBelow(random, 1e6) / 1e6) ** 2);
  const pairs = Array.from({ length: pairCount }, () => [skewed(userCount), skewed(itemCount)] as const);
  return matrixOf(userCount, itemCount, pairs);
}

/** What every back-end of LightGCN must do; `agreement` is its largest relative distance from the reference over ten steps. */
export function describeBackend(name: string, options: BackendOptions, agreement: number): void {
  const opened: LightGcn[] = [];
  const create = async (train: InteractionMatrix, settings: Hyperparameters = SETTINGS) => {
    const model = await createLightGcn(train, settings, options);
    opened.push(model);
    return model;
  };
  const trainFor = async (train: InteractionMatrix, epochs: number, settings: Hyperparameters = SETTINGS) => {
    const model = await create(train, settings);
    const losses: number[] = [];
    while (losses.length < epochs) losses.push((await trainEpoch(model)).loss);
    return { model, losses };
  };

  describe(`LightGCN, ${name}`, () => {
    afterEach(() => {
      for (const { backend } of opened.splice(0)) backend.close();
    });

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
    const shapes = [
      { layers: 0, dimension: 3, regularization: 0.1 },
      { layers: 1, dimension: 8, regularization: 0 },
      { layers: 2, dimension: 11, regularization: 0.1 },
      { layers: 3, dimension: 4, regularization: 0.01 },
      { layers: 3, dimension: 17, regularization: 0.01, outputLayers: [1, 3] },
      { layers: 2, dimension: 80, regularization: 0.01, outputLayers: [1] },
    ];
    // Longer vectors than the initial ones, so that the gradient is far from zero.
    const createLong = async (settings: Hyperparameters) => {
      const model = await create(train, { ...settings, initialDeviation: 0.5 });
      const dense = { ...model.hyperparameters, userCount: 5, itemCount: 5, pairs };
      return { model, dense, operator: denseOperator(dense) };
    };

    test.each(shapes)('bpr loss and gradient agree with float64 within 1e-6: %o', async (shape) => {
      const { model, dense, operator } = await createLong({ ...SETTINGS, ...shape });
      const edges = Int32Array.from(model.workspace.trainableEdges);
      const batch = sampleTriples(model.graph, model.workspace.edgeUsers, edges, seedRandom(2));
      const triples = Array.from(
        batch.users,
        (user, index): Triple => [user, batch.positives[index] ?? 0, batch.negatives[index] ?? 0],
      );
      const problem = { model: dense, operator, batch: triples };
      expectAgreement(model, await lossAndGradient(model, batch), (ego) => denseLoss(problem, ego));
    });

    test.each(shapes)('softmax loss and gradient agree with float64 within 1e-6: %o', async (shape) => {
      const settings = { secondTemperature: 0.8, temperature: 0.5, logQCorrection: 0.7, negatives: 4 };
      const { model, dense, operator } = await createLong({ ...SETTINGS, ...shape, ...settings, loss: 'softmax' });
      const repeated: Pair[] = pairs.map(([user, item]) => [user, item + 5]);
      const batch = {
        users: Int32Array.from(repeated, ([user]) => user),
        positives: Int32Array.from(repeated, ([, item]) => item),
      };
      const { chunkSize, temperature, secondTemperature, itemBias } = softmaxSettings(model, repeated.length);
      expect(chunkSize).toBe(4);
      const chunks = [repeated.slice(0, 4), repeated.slice(4)];
      const problem = { model: dense, operator, chunks, temperature, secondTemperature, itemBias: [...itemBias] };
      expectAgreement(model, await lossAndGradient(model, batch), (ego) => denseSoftmaxLoss(problem, ego));
    });

    test.each(['checkerboard', 'checkerboard-softmax'])(
      'the golden curve and vectors of %s are reproduced',
      async (file) => {
        const path = join(import.meta.dirname, `../../golden/${file}.json`);
        const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
        const { train: world } = createCheckerboard(golden.size);
        const { model, losses } = await trainFor(world, golden.losses.length, golden.hyperparameters);
        losses.forEach((loss, epoch) => expect(Math.abs(loss - (golden.losses[epoch] ?? 0))).toBeLessThan(1e-4));
        golden.finalEgo.forEach((value, index) =>
          expect(Math.abs(value - (model.state.ego[index] ?? 0))).toBeLessThan(1e-3),
        );
      },
    );

    test.each([
      { ...SETTINGS, batchSize: 200 },
      { ...SETTINGS, ...SOFTMAX, batchSize: 200, negatives: 64, dimension: 20, layers: 3 },
      { ...SETTINGS, ...SOFTMAX, batchSize: 200, userGroup: 5, dimension: 64, layers: 1, logQCorrection: 1 },
    ])('ten steps lose as much as in the reference within 1e-4: %o', async (settings) => {
      const world = createRandomWorld(120, 90, 2600);
      const reference = await createLightGcn(world, settings, { backend: 'reference' });
      const model = await create(world, settings);
      const first = Math.ceil(model.workspace.trainableEdges.length / settings.batchSize);
      expect(first).toBeGreaterThan(4);
      for (let epoch = 0; epoch * first < 10; epoch++) {
        const { loss: wanted } = await trainEpoch(reference);
        const { loss } = await trainEpoch(model);
        expect(Math.abs(loss - wanted) / wanted).toBeLessThanOrEqual(agreement);
      }
    });

    test.each([SETTINGS, { ...SETTINGS, ...SOFTMAX }])(
      'in a checkerboard world the withheld item comes first: %o',
      async (settings) => {
        const { train: world, withheld } = createCheckerboard(16);
        const { users, items, dimension } = await embeddings((await trainFor(world, 40, settings)).model);
        const heldOut = matrixOf(
          16,
          16,
          withheld.map((item, user) => [user, item] as const),
        );
        const metrics = evaluateRanking({ userVectors: users, itemVectors: items, dimension }, world, heldOut);
        expect(metrics.ndcgAt10).toBe(1);
      },
    );

    test.each([SETTINGS, { ...SETTINGS, ...SOFTMAX }])(
      'one seed gives the same bits, another others: %o',
      async (settings) => {
        const world = createRandomWorld(60, 40, 900);
        const run = async (seed: number) => (await trainFor(world, 3, { ...settings, seed })).model.state.ego;
        const first = await run(3);
        expect(await run(3)).toEqual(first);
        expect(await run(4)).not.toEqual(first);
      },
    );

    test.each([SETTINGS, { ...SETTINGS, ...SOFTMAX, negativesGrowth: 1.5 }])(
      'a model saved and loaded between epochs continues bit for bit: %o',
      async (settings) => {
        const world = createRandomWorld(60, 40, 900);
        const { model: whole } = await trainFor(world, 4, settings);
        const { model: half } = await trainFor(world, 2, settings);
        const resumed = await loadLightGcn(saveLightGcn(half), world, options);
        opened.push(resumed);
        await trainEpoch(resumed);
        await trainEpoch(resumed);
        expect(resumed.state).toEqual(whole.state);
        expect(await embeddings(resumed)).toEqual(await embeddings(whole));
      },
    );

    test.each([SETTINGS, { ...SETTINGS, ...SOFTMAX }])(
      'vectors that are not finite end training by name: %o',
      async (settings) => {
        const { model } = await trainFor(createCheckerboard(8).train, 1, settings);
        model.state.ego[0] = Number.NaN;
        await expect(trainEpoch(model)).rejects.toMatchObject({ name: 'TrainingDivergedError' });
      },
    );

    test.each([SETTINGS, { ...SETTINGS, ...SOFTMAX }])('odd worlds give finite vectors: %o', async (settings) => {
      const worlds = {
        'one user': matrixOf(1, 3, [
          [0, 0],
          [0, 1],
        ]),
        'one interaction': matrixOf(1, 2, [[0, 1]]),
        'mostly nobody': matrixOf(4, 6, [
          [1, 2],
          [1, 3],
          [2, 2],
        ]),
        'one item for all but one': matrixOf(
          300,
          2,
          Array.from({ length: 300 }, (_, user) => [user, user === 7 ? 1 : 0] as const),
        ),
      };
      for (const [world, matrix] of Object.entries(worlds)) {
        const { users, items } = await embeddings((await trainFor(matrix, 5, settings)).model);
        expect([...users, ...items].every(Number.isFinite), world).toBe(true);
      }
    });
  });
}

/** The loss at the model's state within 1e-6 of `lossAt`, and the gradient of its differences. */
function expectAgreement(
  model: LightGcn,
  { loss, gradient }: { loss: number; gradient: Float32Array },
  lossAt: (ego: Float64Array) => number,
): void {
  const ego = Float64Array.from(model.state.ego);
  expect(Math.abs(loss - lossAt(ego))).toBeLessThan(2e-6);
  const wanted = differenceGradient(lossAt, ego);
  expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(0.01);
  expect(Math.max(...wanted.map((value, index) => Math.abs(value - (gradient[index] ?? 0))))).toBeLessThan(2e-6);
}
