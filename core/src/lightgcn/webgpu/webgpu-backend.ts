import type { AdamRates, LightGcnBackend, TrainedTables } from '../backend.ts';
import { BackendUnavailableError } from '../backend-error.ts';
import type { BackendModel } from '../choose-backend.ts';
import { layerWeights, type NodeTable } from '../propagate.ts';
import { STEP_ADAM } from './batch-wgsl.ts';
import type { OpenDevice } from './device.ts';
import { createKernel } from './kernel.ts';
import { createLosses } from './losses.ts';
import { checkAlive, createMemory, type DeviceMemory } from './memory.ts';
import { createDevicePropagation } from './propagation.ts';
import { createRowPacking, type RowPacking, shapeRows } from './row-shape.ts';

/**
 * The back-end on a GPU: everything but the drawing of batches happens there, and nothing of a step is waited for. Sums have a
 * fixed order, so that one device gives the same bits every time.
 * @throws BackendUnavailableError when a table is larger than the device can bind or its memory holds.
 */
export async function createWebGpuBackend(open: OpenDevice, model: BackendModel): Promise<LightGcnBackend> {
  const memory = createMemory(open);
  open.device.pushErrorScope('out-of-memory');
  let backend: LightGcnBackend;
  try {
    backend = createBackend(open, memory, model);
  } catch (error) {
    memory.close();
    await open.device.popErrorScope();
    throw error;
  }
  if ((await open.device.popErrorScope()) !== null) {
    const wanted = memory.sizeBytes();
    memory.close();
    throw new BackendUnavailableError(`wanted ${wanted} bytes, ${open.name} has no room for them`);
  }
  return backend;
}

function createBackend(open: OpenDevice, memory: DeviceMemory, model: BackendModel): LightGcnBackend {
  const { graph, hyperparameters, state } = model;
  const { dimension, outputLayers } = hyperparameters;
  const shape = shapeRows(dimension);
  const rows = createRowPacking(dimension, shape.stride, graph.nodeCount);
  const kept = createState(memory, rows, state);
  const { ego, firstMoment, secondMoment } = kept;
  const final = memory.allocate('the final vectors', rows.sizeBytes);
  const slopes = memory.allocate('the gradient', rows.sizeBytes);
  const weights = layerWeights(outputLayers);
  const propagation = createDevicePropagation(open, memory, { graph, shape, weights });
  const losses = createLosses({ open, memory, model, shape, tables: { ego, final, slopes }, propagation });
  const adam = createKernel(open, STEP_ADAM);
  const rates = memory.growing('the rates');
  const { queue } = open.device;
  const submit = (encode: (encoder: GPUCommandEncoder) => void) => {
    checkAlive(open);
    const encoder = open.device.createCommandEncoder();
    encode(encoder);
    queue.submit([encoder.finish()]);
  };
  return {
    kind: 'webgpu',
    detail: open.name,
    begin: () => kept.upload(queue),
    end: () => kept.download(),
    propagate: async (input, output) => {
      queue.writeBuffer(final, 0, rows.pack(input));
      submit((encoder) => propagation.encode(encoder, final, final));
      await memory.read(final, rows.sizeBytes, (packed) => rows.unpack(packed, output));
    },
    bprLoss: losses.bpr,
    softmaxLoss: losses.softmax,
    gradient: async () => {
      submit(losses.propagateBack);
      const gradient = new Float32Array(state.ego.length);
      await memory.read(slopes, rows.sizeBytes, (packed) => rows.unpack(packed, gradient));
      return gradient;
    },
    step: (settings) => {
      const rateBuffer = rates.write(packRates(settings));
      submit((encoder) => {
        losses.propagateBack(encoder);
        const pass = encoder.beginComputePass();
        adam.run(pass, [rateBuffer, slopes, ego, firstMoment, secondMoment], Math.ceil(rows.sizeBytes / 16 / 256));
        pass.end();
      });
    },
    close: () => {
      losses.close();
      memory.close();
    },
  };
}

function packRates({ rate, rootCorrection, firstDecay, secondDecay, epsilon }: AdamRates): Float32Array<ArrayBuffer> {
  return Float32Array.of(rate, rootCorrection, firstDecay, secondDecay, epsilon, 0, 0, 0);
}

/** The trained tables on the device. */
function createState(memory: DeviceMemory, rows: RowPacking, state: TrainedTables) {
  const allocate = (name: string) => memory.allocate(name, rows.sizeBytes);
  const ego = allocate('the ego vectors');
  const [firstMoment, secondMoment] = [allocate('the first moments'), allocate('the second moments')];
  const kept: readonly (readonly [GPUBuffer, NodeTable])[] = [
    [ego, state.ego],
    [firstMoment, state.firstMoment],
    [secondMoment, state.secondMoment],
  ];
  return {
    ego,
    firstMoment,
    secondMoment,
    upload: (queue: GPUQueue) => {
      for (const [buffer, table] of kept) queue.writeBuffer(buffer, 0, rows.pack(table));
    },
    download: async () => {
      for (const [buffer, table] of kept) {
        await memory.read(buffer, rows.sizeBytes, (packed) => rows.unpack(packed, table));
      }
    },
  };
}
