import type { TripleBatch } from '../backend.ts';
import { type BatchSlots, invert } from './batch-slots.ts';
import { SCORE_TRIPLES, SUM_TRIPLE_GRADIENTS } from './batch-wgsl.ts';
import type { OpenDevice } from './device.ts';
import { createKernel } from './kernel.ts';
import type { DeviceMemory } from './memory.ts';
import type { RowShape } from './row-shape.ts';

/** What the losses read of a step on the device, and where they write. */
export interface LossTables {
  /** The constants of the step. */
  readonly step: GPUBuffer;
  /** The nodes of the batch's slots. */
  readonly nodes: GPUBuffer;
  readonly final: GPUBuffer;
  /** Receives the gradient by the final vectors; zero where the batch has no node. */
  readonly finalGradient: GPUBuffer;
  /** The parts of the loss: the loss's own, then one for each slot. */
  readonly parts: GPUBuffer;
}

/** The paper's loss on the device. */
interface TripleLoss {
  /** Writes the batch to the device's memory; gives what adds its commands to a pass. */
  prepare(batch: TripleBatch, slots: BatchSlots): (pass: GPUComputePassEncoder, tables: LossTables) => void;
}

export function createTripleLoss(open: OpenDevice, memory: DeviceMemory, shape: RowShape): TripleLoss {
  const score = createKernel(open, SCORE_TRIPLES);
  const sum = createKernel(open, SUM_TRIPLE_GRADIENTS);
  const triples = memory.growing('the triples of a batch');
  const slopes = memory.growing('the slopes of a batch');
  const offsets = memory.growing('the lists of a batch');
  const terms = memory.growing('the terms of a batch');
  return {
    prepare: (batch, slots) => {
      const count = batch.users.length;
      const lists = listTerms(batch, slots);
      const tripleBuffer = triples.write(packTriples(batch));
      const slopeBuffer = slopes.reserve(count * 4);
      const offsetBuffer = offsets.write(lists.offsets);
      const termBuffer = terms.write(lists.terms);
      return (pass, { step, nodes, final, finalGradient, parts }) => {
        score.run(pass, [step, tripleBuffer, final, slopeBuffer, parts], Math.ceil(count / shape.rows));
        const buffers = [step, nodes, offsetBuffer, termBuffer, slopeBuffer, final, finalGradient];
        sum.run(pass, buffers, Math.ceil(slots.nodes.length / shape.rows));
      };
    },
  };
}

function packTriples({ users, positives, negatives }: TripleBatch): Uint32Array<ArrayBuffer> {
  const triples = new Uint32Array(users.length * 4);
  for (let index = 0; index < users.length; index++) {
    triples[index * 4] = users[index] as number;
    triples[index * 4 + 1] = positives[index] as number;
    triples[index * 4 + 2] = negatives[index] as number;
  }
  return triples;
}

/** The terms of each slot's gradient: 2 * triple + whether it is taken off, and the other node. */
function listTerms(
  { users, positives, negatives }: TripleBatch,
  { nodes, slotLists }: BatchSlots,
): { offsets: Uint32Array<ArrayBuffer>; terms: Uint32Array<ArrayBuffer> } {
  const [userSlots = new Uint32Array(0), positiveSlots = userSlots, negativeSlots = userSlots] = slotLists;
  const count = users.length;
  // Four terms of each triple (u, p, n): + p and - n for u, + u for p, - u for n.
  const slotOfTerm = new Uint32Array(count * 4);
  for (let index = 0; index < count; index++) {
    slotOfTerm.fill(userSlots[index] as number, index * 4, index * 4 + 2);
    slotOfTerm[index * 4 + 2] = positiveSlots[index] as number;
    slotOfTerm[index * 4 + 3] = negativeSlots[index] as number;
  }
  const { offsets, places } = invert(slotOfTerm, nodes.length);
  const terms = new Uint32Array(places.length * 2);
  for (let at = 0; at < places.length; at++) {
    const place = places[at] as number;
    const index = place >>> 2;
    const others = [positives, negatives, users, users][place & 3] as Int32Array;
    terms[at * 2] = index * 2 + (place & 1);
    terms[at * 2 + 1] = others[index] as number;
  }
  return { offsets, terms };
}
