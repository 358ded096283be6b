import type { PairBatch, SoftmaxSettings } from '../backend.ts';
import type { BatchSlots } from './batch-slots.ts';
import { MULTIPLY_BY_COLUMNS, MULTIPLY_BY_ROWS, MULTIPLY_DIRECTIONS, TILE } from './dense-wgsl.ts';
import type { OpenDevice } from './device.ts';
import { createKernel, layOut } from './kernel.ts';
import type { DeviceMemory } from './memory.ts';
import type { RowShape } from './row-shape.ts';
import { createSoftmaxPlanner, LOGIT_BYTES, type SoftmaxPlan } from './softmax-plan.ts';
import { COMBINE_APPEARANCES, NORMALIZE_SLOTS, WEIGH_ROWS } from './softmax-wgsl.ts';
import type { LossTables } from './triple-loss.ts';

/** The softmax loss of softmax.ts on the device. */
interface SoftmaxLoss {
  /** Writes the batch to the device's memory; gives how many parts its loss has, and what adds its commands to a pass. */
  prepare(
    batch: PairBatch,
    slots: BatchSlots,
    settings: SoftmaxSettings,
  ): { partCount: number; encode: (pass: GPUComputePassEncoder, tables: LossTables) => void };
}

/** Bytes from one round's constants to the next: the largest alignment that WebGPU allows a device to ask for. */
const ROUND_BYTES = 256;

export function createSoftmaxLoss(
  open: OpenDevice,
  memory: DeviceMemory,
  { shape, userCount }: { readonly shape: RowShape; readonly userCount: number },
): SoftmaxLoss {
  const { stride, rows: rowsOfGroup } = shape;
  const kernels = {
    normalize: createKernel(open, NORMALIZE_SLOTS),
    compare: createKernel(open, MULTIPLY_DIRECTIONS),
    weigh: createKernel(open, WEIGH_ROWS),
    toRows: createKernel(open, MULTIPLY_BY_COLUMNS),
    toColumns: createKernel(open, MULTIPLY_BY_ROWS),
    combine: createKernel(open, COMBINE_APPEARANCES),
  };
  const write = createPlanMemory(memory, stride);
  const planner = createSoftmaxPlanner({ userCount, logitBytes: Math.min(LOGIT_BYTES, open.mostBytes) });
  return {
    prepare: (batch, slots, settings) => {
      const slotCount = slots.nodes.length;
      const plan = planner.plan({ ...batch, slotLists: slots.slotLists }, settings, slotCount);
      const held = write(plan, slotCount);
      const encode = (pass: GPUComputePassEncoder, tables: LossTables) => {
        const { step, nodes, final, finalGradient, parts } = tables;
        const slotGroups = Math.ceil(slotCount / rowsOfGroup);
        kernels.normalize.run(pass, [step, nodes, final, held.directions, held.lengths], slotGroups);
        plan.rounds.forEach(({ count, mostRows, mostColumns }, index) => {
          const round = { buffer: held.rounds, offset: index * ROUND_BYTES, size: 16 };
          const [rowTiles, columnTiles, dimensionTiles] = [mostRows, mostColumns, stride * 4].map((length) =>
            Math.ceil(length / TILE),
          ) as [number, number, number];
          const compared = [round, held.blocks, held.rows, held.columns, held.directions, held.logits];
          kernels.compare.run(pass, compared, [rowTiles, columnTiles, count]);
          const weighed = [round, held.blocks, step, held.rows, held.own, held.columns, held.logits, parts];
          const [across, down] = layOut(mostRows);
          kernels.weigh.run(pass, weighed, [across, down, count]);
          const byRow = [round, held.blocks, held.columns, held.directions, held.logits, held.gradients];
          kernels.toRows.run(pass, byRow, [rowTiles, dimensionTiles, count]);
          const byColumn = [round, held.blocks, held.rows, held.directions, held.logits, held.gradients];
          kernels.toColumns.run(pass, byColumn, [columnTiles, dimensionTiles, count]);
        });
        const combined = [step, nodes, held.offsets, held.appearances, held.gradients, held.directions, held.lengths];
        kernels.combine.run(pass, [...combined, finalGradient], slotGroups);
      };
      return { partCount: plan.rowCount, encode };
    },
  };
}

/** A function that brings a plan of a batch of so many slots to the device, with room for what is computed. */
function createPlanMemory(memory: DeviceMemory, stride: number) {
  const grow = (name: string) => memory.growing(`${name} of a softmax batch`);
  const directions = grow('the directions');
  const lengths = grow('the lengths');
  const gradients = grow('the gradients');
  const logits = grow('the logits');
  const [rows, columns, own, blocks] = [grow('the rows'), grow('the columns'), grow('the pairs'), grow('the blocks')];
  const [offsets, appearances] = [grow('the lists'), grow('the appearances')];
  const rounds = grow('the rounds');
  return (plan: SoftmaxPlan, slotCount: number) => {
    const most = Math.max(...plan.rounds.map((round) => round.logits));
    return {
      directions: directions.reserve(slotCount * stride * 16),
      lengths: lengths.reserve(slotCount * 4),
      gradients: gradients.reserve((plan.rowCount + plan.columnCount) * stride * 16),
      logits: logits.reserve(most * 16),
      rows: rows.write(plan.rows),
      columns: columns.write(plan.columns),
      own: own.write(plan.own),
      blocks: blocks.write(plan.blocks),
      offsets: offsets.write(plan.appearances.offsets),
      appearances: appearances.write(plan.appearances.places),
      rounds: rounds.write(packRounds(plan.rounds, stride)),
    };
  };
}

/** Each round's first block and the vec4 of a row of directions, `ROUND_BYTES` apart. */
function packRounds(rounds: SoftmaxPlan['rounds'], stride: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array((rounds.length * ROUND_BYTES) / 4);
  rounds.forEach(({ first }, index) => {
    words.set([first, stride], (index * ROUND_BYTES) / 4);
  });
  return words;
}
