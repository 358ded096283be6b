import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { beforeAll, describe, expect, test } from 'vitest';
import { createCheckerboard, matrixOf } from '../../../golden/checkerboard.ts';
import { createRandomWorld, describeBackend, SETTINGS } from '../backend-suite.ts';
import { chooseBackend } from '../choose-backend.ts';
import { buildGraph } from '../graph.ts';
import { createLightGcn, lossAndGradient, trainEpoch } from '../light-gcn.ts';
import { isSoftwareAdapter, openDevice, openDeviceOf } from './device.ts';
import { measureDeviceBandwidth } from './measure-bandwidth.ts';
import { createMemory } from './memory.ts';
import { createWebGpuBackend } from './webgpu-backend.ts';

const adapter = await openDevice({ needsHardware: false }).then(
  ({ name }) => ({ name, absence: null }),
  (error: Error) => ({ name: '', absence: error.message }),
);
const hasAdapter = adapter.absence === null;
// The reporter folds the names of what it skips.
if (!hasAdapter) process.stderr.write(`The WebGPU suite does not run here: ${adapter.absence}.\n`);
const isSoftware = isSoftwareAdapter({
  isFallbackAdapter: false,
  architecture: '',
  device: '',
  description: adapter.name,
});
const SOFTMAX = { ...SETTINGS, loss: 'softmax', temperature: 0.2, negatives: 32 } as const;

describe.runIf(hasAdapter)('WebGPU', () => {
  // A software adapter takes its time to compile kernels that it has not met before.
  beforeAll(async () => {
    for (const settings of [SETTINGS, SOFTMAX]) {
      const model = await createLightGcn(createCheckerboard(8).train, settings, { backend: 'webgpu' });
      await trainEpoch(model);
      model.backend.close();
    }
  }, 240_000);

  describeBackend('webgpu', { backend: 'webgpu' }, 1e-4);

  test('rows longer than a segment, more logits than are held at once and repeated pairs change nothing', async () => {
    // 700 users share an item, and 700 x 40 logits of 4 bytes take two rounds of what the device is said to bind.
    const pairs = Array.from({ length: 1400 }, (_, index) => [index >> 1, index % 2 ? 1 + (index % 39) : 0] as const);
    const settings = { ...SOFTMAX, dimension: 16, layers: 3, batchSize: 2000, negatives: 2000 };
    const reference = await createLightGcn(matrixOf(700, 40, pairs), settings, { backend: 'reference' });
    const open = { ...(await openDevice({ needsHardware: false })), mostBytes: 60_000 };
    const backend = await createWebGpuBackend(open, reference);
    const batch = [...pairs, ...pairs.slice(0, 3), ...pairs.slice(0, 1)];
    const users = Int32Array.from(batch, ([user]) => user);
    const positives = Int32Array.from(batch, ([, item]) => item + 700);
    const wanted = await lossAndGradient(reference, { users, positives });
    const got = await lossAndGradient({ ...reference, backend }, { users, positives });
    backend.close();
    expect(Math.abs(got.loss - wanted.loss) / wanted.loss).toBeLessThan(1e-6);
    const scale = Math.max(...wanted.gradient.map(Math.abs));
    const farthest = Math.max(...got.gradient.map((value, at) => Math.abs(value - (wanted.gradient[at] ?? 0))));
    expect(farthest / scale).toBeLessThan(1e-5);
  });

  test('auto does not take a buffer beyond the limits of the device, and says what was wanted and what is bound', async () => {
    const open = { ...(await openDevice({ needsHardware: false })), mostBytes: 2000 };
    const model = await createLightGcn(createRandomWorld(120, 90, 500), SETTINGS, { backend: 'reference' });
    const sources = { webgpu: () => Promise.resolve(open) };
    const { backend, reason } = await chooseBackend(model, {}, sources);
    expect(backend.kind).not.toBe('webgpu');
    expect(reason).toMatch(/no webgpu: wanted 6720 bytes for the ego vectors, .* binds at most 2000 at once/);
    backend.close();
  });

  test('a lost device ends the training by name, and the next model gets another', async () => {
    const { train } = createCheckerboard(8);
    const { device } = await openDevice({ needsHardware: false });
    const model = await createLightGcn(train, SETTINGS, { backend: 'webgpu' });
    await trainEpoch(model);
    device.destroy();
    await device.lost;
    await expect(trainEpoch(model)).rejects.toMatchObject({
      name: 'DeviceLostError',
      message: expect.stringContaining('the device was lost (destroyed'),
    });
    const next = await createLightGcn(train, SETTINGS, { backend: 'webgpu' });
    expect((await trainEpoch(next)).loss).toBeGreaterThan(0);
    next.backend.close();
  });

  test.runIf(isSoftware)('a software adapter is refused where hardware is needed', async () => {
    const load = () => Promise.resolve(globalThis.kindredGpuInstance ?? Promise.reject(new Error('No instance.')));
    await expect(openDeviceOf(load, { needsHardware: true })).rejects.toMatchObject({
      name: 'BackendUnavailableError',
      message: `no hardware adapter (${adapter.name} is software)`,
    });
  });

  test.runIf(isSoftware)('auto does not take a software adapter, and says so', async () => {
    const { backend, backendReason } = await createLightGcn(createCheckerboard(8).train, SETTINGS);
    expect(backend.kind).not.toBe('webgpu');
    expect(backendReason).toMatch(/no webgpu: no hardware adapter/);
    backend.close();
  });

  test('a layer and a triad take measurable time', async () => {
    const graph = buildGraph(createRandomWorld(120, 90, 2600));
    const size = { dimension: 16, rounds: 2, triadBytes: 1e5 };
    const bandwidth = await measureDeviceBandwidth(await openDevice({ needsHardware: false }), graph, size);
    expect(bandwidth.layerSeconds).toBeGreaterThan(0);
    expect(bandwidth.layerSeconds).toBeLessThan(10);
    const layerBytes = graph.neighbors.length * 68 + 2 * graph.nodeCount * 64;
    expect(bandwidth.layerBytesPerSecond * bandwidth.layerSeconds).toBeCloseTo(layerBytes, 0);
    expect(bandwidth.triadBytesPerSecond).toBeGreaterThan(0);
  });

  test('closed, it holds no memory on the device', async () => {
    const memory = createMemory(await openDevice({ needsHardware: false }));
    memory.allocate('a table', 1000);
    memory.growing('a batch').reserve(5000);
    expect(memory.sizeBytes()).toBeGreaterThanOrEqual(6000);
    memory.close();
    expect(memory.sizeBytes()).toBe(0);
  });

  test('a worker thread trains to the same bits', async () => {
    const { train } = createCheckerboard(8);
    const model = await createLightGcn(train, SETTINGS, { backend: 'webgpu' });
    await trainEpoch(model);
    model.backend.close();
    const code = `
      const { parentPort } = await import('node:worker_threads');
      const { createCheckerboard } = await import('${import.meta.resolve('../../../golden/checkerboard.ts')}');
      const { createLightGcn, trainEpoch } = await import('${import.meta.resolve('../light-gcn.ts')}');
      const model = await createLightGcn(createCheckerboard(8).train, ${JSON.stringify(SETTINGS)}, { backend: 'webgpu' });
      await trainEpoch(model);
      model.backend.close();
      parentPort.postMessage(model.state.ego);
    `;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
    const exited = once(worker, 'exit');
    expect((await once(worker, 'message'))[0]).toEqual(model.state.ego);
    expect(await exited).toEqual([0]);
  });
});

describe('the search for a GPU', () => {
  test.each([
    [
      'the package is absent',
      () => Promise.reject(new Error('Cannot find package webgpu\nRequire stack')),
      /webgpu does not load here \(Cannot find package webgpu\)$/,
    ],
    ['there is no adapter', () => Promise.resolve({ requestAdapter: () => Promise.resolve(null) }), /^no adapter/],
    [
      'the driver fails',
      () => Promise.resolve({ requestAdapter: () => Promise.reject(new Error('x')) }),
      /^no adapter/,
    ],
  ])('says so when %s', async (_, load, message) => {
    await expect(openDeviceOf(load, { needsHardware: true })).rejects.toMatchObject({
      name: 'BackendUnavailableError',
      message: expect.stringMatching(message),
    });
  });

  test.each([
    [true, { isFallbackAdapter: true, architecture: '', device: '', description: '' }],
    [true, { isFallbackAdapter: false, architecture: '', device: '', description: 'SwiftShader Device (LLVM 16)' }],
    [true, { isFallbackAdapter: false, architecture: '', device: 'llvmpipe-llvm-15', description: '' }],
    [false, { isFallbackAdapter: false, architecture: 'hopper', device: 'h100', description: 'NVIDIA H100: 570.1' }],
  ])('tells software from hardware: %s, %o', (wanted, info) => {
    expect(isSoftwareAdapter(info)).toBe(wanted);
  });
});
