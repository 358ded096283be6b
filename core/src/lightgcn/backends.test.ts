import { describe, expect, test } from 'vitest';
import { createCheckerboard } from '../../golden/checkerboard.ts';
import { BackendUnavailableError } from './backend-error.ts';
import { createRandomWorld, describeBackend, SETTINGS } from './backend-suite.ts';
import { chooseBackend } from './choose-backend.ts';
import { buildGraph } from './graph.ts';
import { createLightGcn, trainEpoch } from './light-gcn.ts';
import { loadLightGcnAddon, LIGHTGCN_ADDON } from './native-addon.ts';
import { loadAddonFrom } from '@kindred/native/load-addon';

const { addon } = loadLightGcnAddon();

describeBackend('reference', { backend: 'reference' }, 0);
for (const instructionSet of addon?.instructionSets ?? []) {
  describeBackend(`native ${instructionSet}`, { backend: 'native', instructionSet, threads: 1 }, 1e-4);
}
if (addon) describeBackend('native with 3 threads', { backend: 'native', threads: 3 }, 1e-4);

describe('the choice of a back-end', () => {
  const { train } = createCheckerboard(8);

  const addonMissing = () => loadAddonFrom(import.meta.dirname, LIGHTGCN_ADDON);
  const gpuMissing = () => Promise.reject(new BackendUnavailableError('no adapter'));
  const createModel = () => createLightGcn(train, SETTINGS, { backend: 'reference' });

  test.runIf(addon)('without a GPU auto takes the native one where its addon loads, and says why', async () => {
    const sources = { webgpu: gpuMissing };
    const { backend, reason } = await chooseBackend(await createModel(), {}, sources);
    expect(backend.kind).toBe('native');
    expect(backend.detail).toMatch(/^(avx512|avx2|baseline), \d+ threads?$/);
    expect(reason).toBe('the fastest that works here; no webgpu: no adapter');
  });

  test('without the addon too auto takes the reference and says why', async () => {
    const sources = { native: addonMissing, webgpu: gpuMissing };
    expect(await chooseBackend(await createModel(), {}, sources)).toMatchObject({
      backend: { kind: 'reference' },
      reason: expect.stringMatching(/; no webgpu: no adapter; no native: the lightgcn addon was not built/),
    });
  });

  test.each(['native', 'webgpu'] as const)(
    '%s by name is refused, saying why, where it does not work',
    async (kind) => {
      const sources = { native: addonMissing, webgpu: gpuMissing };
      await expect(chooseBackend(await createModel(), { backend: kind }, sources)).rejects.toMatchObject({
        name: 'BackendUnavailableError',
        message: expect.stringMatching(
          kind === 'native' ? /^Wanted .* native .*not built/ : /^Wanted .* webgpu .*no adapter/,
        ),
      });
    },
  );

  test('one that is asked for by name is taken for that reason', async () => {
    expect((await createModel()).backendReason).toBe('asked for by name');
  });

  test('a failure that is no absence is not covered up by a slower back-end', async () => {
    const sources = {
      native: addonMissing,
      webgpu: () => Promise.reject(new TypeError('A bug.')),
    };
    await expect(chooseBackend(await createModel(), {}, sources)).rejects.toThrow('A bug.');
  });
});

describe.runIf(addon)('the native addon', () => {
  const graph = buildGraph(createCheckerboard(8).train);
  const create = (...settings: [number, Float32Array, number, string]) => {
    if (!addon) throw new Error('No addon.');
    return new addon.Trainer(graph.userCount, graph.nodeCount, graph.offsets, graph.neighbors, ...settings);
  };
  const refused = expect.objectContaining({ code: 'LIGHTGCN_BAD_ARGUMENT' });

  test('refuses arguments that do not fit, with a code', () => {
    expect(() => create(0, Float32Array.of(1), 1, '')).toThrow(refused);
    expect(() => create(8, new Float32Array(0), 1, '')).toThrow(refused);
    expect(() => create(8, Float32Array.of(1), 0, '')).toThrow(refused);
    expect(() => create(8, Float32Array.of(1), 1, 'mmx')).toThrow(refused);
    const trainer = create(8, Float32Array.of(0.5, 0.5), 1, '');
    const table = new Float32Array(16 * 8);
    expect(() => trainer.loadState(table, table, table.subarray(1))).toThrow(refused);
    const node = Int32Array.of(0);
    expect(() => trainer.bprLoss(node, node, Int32Array.of(9), 0)).toThrow(refused);
    expect(() => trainer.softmaxLoss(node, Int32Array.of(16), 0, 1, 0.1, 1, new Float32Array(8))).toThrow(refused);
    expect(() => trainer.softmaxLoss(node, Int32Array.of(8), 0, 0, 0.1, 1, new Float32Array(8))).toThrow(refused);
  });

  test('closed, it holds no memory and refuses every call', () => {
    const trainer = create(8, Float32Array.of(0.5, 0.5), 2, '');
    expect(trainer.sizeBytes).toBeGreaterThan(16 * 16 * 5 * 4);
    trainer.close();
    expect(trainer.sizeBytes).toBe(0);
    expect(() => trainer.gradient(new Float32Array(16 * 8))).toThrow(refused);
  });

  test('thread counts change no more than the last bits', async () => {
    const settings = { ...SETTINGS, loss: 'softmax', dimension: 32, batchSize: 512, negatives: 128 } as const;
    const world = createRandomWorld(200, 150, 4000);
    const lossWith = async (threads: number) =>
      (await trainEpoch(await createLightGcn(world, settings, { backend: 'native', threads }))).loss;
    const one = await lossWith(1);
    expect(Math.abs(one - (await lossWith(4))) / one).toBeLessThan(1e-6);
  });
});
