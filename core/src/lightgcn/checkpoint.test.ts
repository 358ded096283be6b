import { describe, expect, test } from 'vitest';
import { createRandomWorld, SETTINGS } from './backend-suite.ts';
import { loadLightGcn, saveLightGcn } from './checkpoint.ts';
import type { Hyperparameters } from './hyperparameters.ts';
import { createLightGcn, type LightGcn, trainEpoch } from './light-gcn.ts';
import { loadLightGcnAddon } from './native-addon.ts';

const { addon } = loadLightGcnAddon();

const world = createRandomWorld(120, 90, 2600);
const BPR: Hyperparameters = { ...SETTINGS, dimension: 20, batchSize: 200, learningRate: 0.01 };
const LOSSES: readonly Hyperparameters[] = [BPR, { ...BPR, loss: 'softmax', negatives: 64, userGroup: 5 }];
const EPOCHS = 4;

async function trainOn(model: LightGcn): Promise<number[]> {
  const losses: number[] = [];
  for (let epoch = 0; epoch < EPOCHS; epoch++) losses.push((await trainEpoch(model)).loss);
  return losses;
}

/** Trains with so many threads, then on with `threadsAfter`: without a stop and from a checkpoint. */
async function stopAndGoOn(settings: Hyperparameters, threads: number, threadsAfter: number) {
  const whole = await createLightGcn(world, settings, { backend: 'native', threads });
  await trainOn(whole);
  const resumed = await loadLightGcn(saveLightGcn(whole), world, { backend: 'native', threads: threadsAfter });
  const losses = { whole: await trainOn(whole), resumed: await trainOn(resumed) };
  for (const model of [whole, resumed]) model.backend.close();
  return { whole: whole.state, resumed: resumed.state, losses };
}

describe.runIf(addon)('a native training that goes on from a checkpoint', () => {
  test.each(LOSSES)('is bit for bit the one that never stopped, on one thread: %o', async (settings) => {
    const { whole, resumed, losses } = await stopAndGoOn(settings, 1, 1);
    expect(losses.resumed).toEqual(losses.whole);
    expect(resumed).toEqual(whole);
    expect(resumed.epoch).toBe(2 * EPOCHS);
  });

  const threadCounts = [2, 3, 4].flatMap((threads) => [1, 2, 5].map((threadsAfter) => ({ threads, threadsAfter })));
  test.each(LOSSES.flatMap((settings) => threadCounts.map((counts) => ({ settings, ...counts }))))(
    'agrees on many threads, losses within 1e-5 and vectors within 1e-3 of the longest: %o',
    async ({ settings, threads, threadsAfter }) => {
      const { whole, resumed, losses } = await stopAndGoOn(settings, threads, threadsAfter);
      losses.whole.forEach((loss, epoch) => {
        expect(Math.abs((losses.resumed[epoch] ?? 0) - loss) / loss).toBeLessThan(1e-5);
      });
      expect(resumed.random).toEqual(whole.random);
      const largest = Math.max(...whole.ego.map(Math.abs));
      const furthest = Math.max(...whole.ego.map((value, at) => Math.abs(value - (resumed.ego[at] ?? 0))));
      expect(furthest / largest).toBeLessThan(1e-3);
    },
  );
});
