import type { LightGcnBackend, SoftmaxSettings } from '../backend.ts';
import type { BackendModel } from '../choose-backend.ts';
import { type BatchSlots, createSlotFinder } from './batch-slots.ts';
import { ADD_DECAY, COUNT_DECAY, SUM_PARTS } from './batch-wgsl.ts';
import type { OpenDevice } from './device.ts';
import { createKernel, type Kernel } from './kernel.ts';
import { createLossQueue } from './loss-queue.ts';
import { checkAlive, type DeviceMemory } from './memory.ts';
import type { DevicePropagation } from './propagation.ts';
import type { RowShape } from './row-shape.ts';
import { packStep } from './row-wgsl.ts';
import { createSoftmaxLoss } from './softmax-loss.ts';
import { createTripleLoss, type LossTables } from './triple-loss.ts';

/** Both losses with regularisation, each one submission of the whole way forward. */
export interface Losses {
  readonly bpr: LightGcnBackend['bprLoss'];
  readonly softmax: LightGcnBackend['softmaxLoss'];
  /** Adds what turns the latest gradient by the final vectors into that by the ego vectors; a second time nothing. */
  readonly propagateBack: (encoder: GPUCommandEncoder) => void;
  readonly close: () => void;
}

/** A batch on the device. */
interface Prepared {
  /** Parts of the loss without those of the regularisation. */
  readonly partCount: number;
  readonly encode: (pass: GPUComputePassEncoder, tables: LossTables) => void;
}

interface LossParts {
  readonly open: OpenDevice;
  readonly memory: DeviceMemory;
  readonly model: BackendModel;
  readonly shape: RowShape;
  readonly tables: { readonly ego: GPUBuffer; readonly final: GPUBuffer; readonly slopes: GPUBuffer };
  readonly propagation: DevicePropagation;
}

export function createLosses(parts: LossParts): Losses {
  const { open, memory, model, shape } = parts;
  const triple = createTripleLoss(open, memory, shape);
  const softmax = createSoftmaxLoss(open, memory, { shape, userCount: model.graph.userCount });
  const { run, propagateBack, close } = createPasses(parts);
  return {
    bpr: (batch) =>
      run([batch.users, batch.positives, batch.negatives], { temperature: 1, secondTemperature: 1 }, (slots) => ({
        partCount: batch.users.length,
        encode: triple.prepare(batch, slots),
      })),
    softmax: (batch, settings) =>
      run([batch.users, batch.positives], settings, (slots) => softmax.prepare(batch, slots, settings)),
    propagateBack,
    close,
  };
}

type Run = (
  nodeLists: readonly Int32Array[],
  temperatures: Pick<SoftmaxSettings, 'temperature' | 'secondTemperature'>,
  prepare: (slots: BatchSlots) => Prepared,
) => Promise<number>;

/** What both losses share: the way to the final vectors and back, regularisation, and the sum of the parts. */
function createPasses(parts: LossParts): Pick<Losses, 'propagateBack' | 'close'> & { readonly run: Run } {
  const { open, memory, model, shape, tables, propagation } = parts;
  const { ego, final, slopes } = tables;
  const decay = createDecay(open, memory, model.hyperparameters.regularization);
  const sumParts = createKernel(open, SUM_PARTS);
  const queue = createLossQueue(memory);
  const findSlots = createSlotFinder(model.graph.nodeCount);
  const [step, nodes] = [memory.growing('the constants of a batch'), memory.growing('the nodes of a batch')];
  const lossParts = memory.growing('the parts of a loss');
  let latest: { readonly step: GPUBuffer; readonly nodes: GPUBuffer; readonly slotGroups: number } | null = null;

  const run: Run = (nodeLists, temperatures, prepare) => {
    checkAlive(open);
    const slots = findSlots(nodeLists);
    const { partCount, encode } = prepare(slots);
    const count = nodeLists[0]?.length ?? 0;
    const slotCount = slots.nodes.length;
    const { index, loss } = queue.next();
    const constants = packStep({
      tripleCount: count,
      slotCount,
      partCount: partCount + decay.partCount(slotCount),
      lossIndex: index,
      inverseCount: 1 / count,
      decay: model.hyperparameters.regularization / count,
      inverseTemperature: 1 / temperatures.temperature,
      secondTemperature: temperatures.secondTemperature,
      shape,
    });
    decay.write(slots);
    const batch = { step: step.write(constants), nodes: nodes.write(slots.nodes) };
    latest = { ...batch, slotGroups: Math.ceil(slotCount / shape.rows) };
    const partBuffer = lossParts.reserve((partCount + slotCount) * 4);
    const encoder = open.device.createCommandEncoder();
    propagation.encode(encoder, ego, final);
    encoder.clearBuffer(slopes);
    const pass = encoder.beginComputePass();
    encode(pass, { ...batch, final, finalGradient: slopes, parts: partBuffer });
    decay.count(pass, [batch.step, batch.nodes], [ego, partBuffer], latest.slotGroups);
    sumParts.run(pass, [batch.step, partBuffer, queue.buffer], 1);
    pass.end();
    open.device.queue.submit([encoder.finish()]);
    return loss;
  };
  return {
    run,
    propagateBack: (encoder) => {
      if (!latest) return;
      propagation.encode(encoder, slopes, slopes);
      const pass = encoder.beginComputePass();
      decay.add(pass, [latest.step, latest.nodes], [ego, slopes], latest.slotGroups);
      pass.end();
      latest = null;
    },
    close: queue.close,
  };
}

type Batch = readonly [step: GPUBuffer, nodes: GPUBuffer];

/** Regularisation on the device; without any it does nothing. */
interface Decay {
  /** Its parts of a loss of so many slots. */
  partCount(slotCount: number): number;
  write(slots: BatchSlots): void;
  /** Adds its parts of the loss: `to` are the ego vectors and the parts. */
  count(pass: GPUComputePassEncoder, batch: Batch, to: readonly [GPUBuffer, GPUBuffer], slotGroups: number): void;
  /** Adds its gradient: `to` are the ego vectors and the gradient by them. */
  add(pass: GPUComputePassEncoder, batch: Batch, to: readonly [GPUBuffer, GPUBuffer], slotGroups: number): void;
}

function createDecay(open: OpenDevice, memory: DeviceMemory, regularization: number): Decay {
  if (regularization === 0) {
    const nothing = () => undefined;
    return { partCount: () => 0, write: nothing, count: nothing, add: nothing };
  }
  const [countKernel, addKernel] = [createKernel(open, COUNT_DECAY), createKernel(open, ADD_DECAY)];
  const counts = memory.growing('the counts of a batch');
  let written: GPUBuffer | null = null;
  const encode =
    (kernel: Kernel): Decay['add'] =>
    (pass, [step, nodes], to, slotGroups) => {
      if (written) kernel.run(pass, [step, nodes, written, ...to], slotGroups);
    };
  return {
    partCount: (slotCount) => slotCount,
    write: (slots) => {
      written = counts.write(slots.counts);
    },
    count: encode(countKernel),
    add: encode(addKernel),
  };
}
