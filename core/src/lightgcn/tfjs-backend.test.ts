import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createCheckerboard } from '../../golden/checkerboard.ts';
import { nextBelow, seedRandom } from '../random.ts';
import { createRandomWorld, describeBackend, SETTINGS } from './backend-suite.ts';
import type { BackendOptions } from './backend.ts';
import { sampleTriples } from './bpr.ts';
import { chooseBackend } from './choose-backend.ts';
import { createLightGcn, embeddings, lossAndGradient, trainEpoch } from './light-gcn.ts';
import { loadLightGcnAddon } from './native-addon.ts';
import { loadTensorFlow, loadTensorFlowFrom, type TensorFlow } from './tensorflow.ts';

describeBackend('tfjs', { backend: 'tfjs' }, 1e-4);

describe('losses and gradients written by hand agree with automatic differentiation', () => {
  const byHand: BackendOptions[] = [{ backend: 'reference' }];
  if (loadLightGcnAddon().addon) byHand.push({ backend: 'native', threads: 1 });
  const softmax = { loss: 'softmax', negatives: 10 } as const;

  // Within this share of the largest component, and of the loss where that is above 1.
  const tolerance = 2e-6;

  test.each([
    { layers: 0 },
    { layers: 1, regularization: 0 },
    { layers: 2, regularization: 0.1 },
    { layers: 3, dimension: 16 },
    { layers: 3, outputLayers: [0, 3] },
    { layers: 0, ...softmax },
    { layers: 1, ...softmax, regularization: 0 },
    { layers: 2, ...softmax, regularization: 0.1 },
    { layers: 3, ...softmax, dimension: 16 },
    { layers: 3, ...softmax, outputLayers: [1, 2] },
    { ...softmax, temperature: 0.05 },
    { ...softmax, temperature: 2, secondTemperature: 0.7 },
    { ...softmax, logQCorrection: 1, secondTemperature: 1.3 },
    { ...softmax, negatives: 30 },
    { ...softmax, negatives: 7, userGroup: 5 },
    { ...softmax, negatives: 2, userGroup: 5 },
    { ...softmax, negatives: 1 },
  ])('%o', async (changes) => {
    const settings = { ...SETTINGS, initialDeviation: 0.5, userGroup: 1, ...changes };
    const world = createRandomWorld(14, 11, 70);
    const oracle = await createLightGcn(world, settings, { backend: 'tfjs' });
    const { trainableEdges, edgeUsers } = oracle.workspace;
    const random = seedRandom(4);
    // More draws than edges, so that pairs repeat; in order, so that users have chunks to themselves, where grouped.
    const drawn = Int32Array.from({ length: 60 }, () => trainableEdges[nextBelow(random, trainableEdges.length)] ?? 0);
    const edges = settings.userGroup > 1 ? drawn.toSorted() : drawn;
    expect(new Set(edges).size).toBeLessThan(edges.length);
    const { users, positives, negatives } = sampleTriples(oracle.graph, edgeUsers, edges, random);
    const batch = 'loss' in changes ? { users, positives } : { users, positives, negatives };
    const wanted = await lossAndGradient(oracle, batch);
    const largest = Math.max(...wanted.gradient.map(Math.abs));
    expect(largest).toBeGreaterThan(1e-3);
    for (const options of byHand) {
      const model = await createLightGcn(world, settings, options);
      const { loss, gradient } = await lossAndGradient(model, batch);
      expect(Math.abs(loss - wanted.loss)).toBeLessThan(tolerance * Math.max(1, Math.abs(wanted.loss)));
      const distance = Math.max(...gradient.map((value, index) => Math.abs(value - (wanted.gradient[index] ?? 0))));
      expect(distance / largest).toBeLessThan(tolerance);
      model.backend.close();
    }
    oracle.backend.close();
  });
});

describe('tensors', () => {
  const tensorFlow = (): TensorFlow => {
    const { tf } = loadTensorFlow();
    if (!tf) throw new Error('No TensorFlow.js.');
    return tf;
  };

  test.each([SETTINGS, { ...SETTINGS, loss: 'softmax' } as const])(
    'steps leave none behind, and a closed back-end holds none: %o',
    async (settings) => {
      const tf = tensorFlow();
      const { numTensors: before } = tf.memory();
      const model = await createLightGcn(createRandomWorld(30, 20, 200), settings, { backend: 'tfjs' });
      await trainEpoch(model);
      const { numTensors, numBytes } = tf.memory();
      expect(numTensors).toBeGreaterThan(before);
      for (let epoch = 0; epoch < 3; epoch++) await trainEpoch(model);
      await embeddings(model);
      expect(tf.memory()).toMatchObject({ numTensors, numBytes });
      model.backend.close();
      model.backend.close();
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  test('segment sums leave out rows of segments that do not exist', () => {
    const tf = tensorFlow();
    const sums = tf.tidy(() => {
      const rows = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]);
      return tf.unsortedSegmentSum(rows, tf.tensor1d([2, -1, 2, 3], 'int32'), 3).arraySync();
    });
    expect(sums).toEqual([
      [0, 0],
      [0, 0],
      [6, 8],
    ]);
  });
});

describe('the choice of a TensorFlow.js', () => {
  const inFolderWith = async (packages: Record<string, string>) => {
    const folder = await mkdtemp(join(tmpdir(), 'kindred-tfjs-'));
    for (const [name, source] of Object.entries(packages)) {
      const place = join(folder, 'node_modules', name);
      await mkdir(place, { recursive: true });
      await writeFile(join(place, 'index.js'), source);
    }
    const state = loadTensorFlowFrom(join(folder, 'index.js'));
    await rm(folder, { recursive: true });
    return state;
  };
  const working = `
    if (!require('util').isNullOrUndefined(null)) throw new Error('null is not null');
    const nothing = () => undefined;
    module.exports = { backend: nothing, gather: nothing, getBackend: () => 'tensorflow', unsortedSegmentSum: nothing,
      valueAndGrad: nothing, version_core: '4.22.0' };`;

  test('a GPU comes before a CPU, and both before plain JavaScript', async () => {
    const cpu = { '@tensorflow/tfjs-node': working };
    const both = { ...cpu, '@tensorflow/tfjs-node-gpu': working };
    expect(await inFolderWith(both)).toMatchObject({ detail: 'tensorflow of @tensorflow/tfjs-node-gpu 4.22.0' });
    expect(await inFolderWith(cpu)).toMatchObject({ detail: 'tensorflow of @tensorflow/tfjs-node 4.22.0' });
  });

  test('a package that does not load is passed over and named', async () => {
    const broken = { '@tensorflow/tfjs-node-gpu': `throw new Error('no libcudart')` };
    expect(await inFolderWith({ ...broken, '@tensorflow/tfjs-node': working })).toMatchObject({
      detail: 'tensorflow of @tensorflow/tfjs-node 4.22.0; @tensorflow/tfjs-node-gpu did not load: no libcudart',
    });
    expect(await inFolderWith({ '@tensorflow/tfjs-node': 'module.exports = { gather: 1 }' })).toMatchObject({
      tf: null,
      reason: expect.stringMatching(/^none of .*tfjs-node did not load: wanted backend, gather, .*, got gather\)$/),
    });
  });

  test('without any the back-end is refused, naming what was looked for', async () => {
    const none = await inFolderWith({});
    const model = await createLightGcn(createCheckerboard(8).train, SETTINGS, { backend: 'reference' });
    const sources = { tensorFlow: () => none };
    await expect(chooseBackend(model, { backend: 'tfjs' }, sources)).rejects.toMatchObject({
      name: 'BackendUnavailableError',
      message: expect.stringMatching(/tfjs-node-gpu, .*tfjs-node, .*tfjs-core with .*tfjs-backend-cpu is installed/),
    });
  });
});
