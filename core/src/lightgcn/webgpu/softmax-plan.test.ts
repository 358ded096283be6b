import { expect, test } from 'vitest';
import { createSlotFinder } from './batch-slots.ts';
import { createSoftmaxPlanner } from './softmax-plan.ts';

/** Users 0..2 and items 0..3, which are nodes 3..6; the chunks are the first four pairs and the last three. */
const PAIRS = [
  [0, 0],
  [1, 0],
  [0, 1],
  [0, 0],
  [2, 3],
  [0, 1],
  [1, 3],
] as const;

function plan(logitBytes: number) {
  const users = Int32Array.from(PAIRS, ([user]) => user);
  const positives = Int32Array.from(PAIRS, ([, item]) => item + 3);
  const findSlots = createSlotFinder(7);
  const settings = { chunkSize: 4, temperature: 1, secondTemperature: 1, itemBias: Float32Array.of(0.5, 0, 0, -1) };
  const planner = createSoftmaxPlanner({ userCount: 3, logitBytes });
  // What an earlier, longer batch left behind changes nothing.
  const longer = [...PAIRS, ...PAIRS.slice(2)];
  const earlier = { users: Int32Array.from(longer, ([user]) => 2 - user), positives: Int32Array.from(longer, () => 3) };
  const { nodes, slotLists } = findSlots([earlier.users, earlier.positives]);
  planner.plan({ ...earlier, slotLists }, settings, nodes.length);
  const slots = findSlots([users, positives]);
  return { slots, ...planner.plan({ users, positives, slotLists: slots.slotLists }, settings, slots.nodes.length) };
}

test('a chunk has each user and item once, with their pairs counted', () => {
  const { slots, rowCount, columnCount, rows, own, columns } = plan(1e6);
  expect([...slots.nodes]).toEqual([0, 1, 2, 3, 4, 6]);
  expect([...slots.counts]).toEqual([4, 2, 1, 3, 2, 2]);
  expect([rowCount, columnCount]).toEqual([5, 4]);
  // Slot, first and last own column, pairs: users 0 and 1, then 2, 0 and 1.
  expect([...rows]).toEqual([0, 0, 2, 3, 1, 2, 3, 1, 2, 3, 4, 1, 0, 4, 5, 1, 1, 5, 6, 1]);
  // Column within the chunk and how many pairs of the row have it, the latest first.
  expect([...own]).toEqual([0, 2, 1, 1, 0, 1, 0, 1, 1, 1, 0, 1]);
  expect([...columns].filter((_, at) => at % 2 === 0)).toEqual([3, 4, 5, 4]);
  const biases = [...new Float32Array(columns.slice().buffer)].filter((_, at) => at % 2 === 1);
  [Math.log(3) + 0.5, 0, Math.log(2) - 1, 0].forEach((bias, at) => expect(biases[at]).toBeCloseTo(bias, 6));
});

test('every slot finds all its rows and columns', () => {
  const { rowCount, columnCount, rows, columns, appearances } = plan(1e6);
  expect(appearances.places).toHaveLength(rowCount + columnCount);
  for (let slot = 0; slot + 1 < appearances.offsets.length; slot++) {
    for (const place of appearances.places.subarray(appearances.offsets[slot], appearances.offsets[slot + 1])) {
      expect(place < rowCount ? rows[place * 4] : columns[(place - rowCount) * 2]).toBe(slot);
    }
  }
});

test('chunks share a round as long as their logits fit, and the blocks of one chunk never do', () => {
  expect(plan(1e6).rounds).toEqual([{ first: 0, count: 2, mostRows: 3, mostColumns: 2, logits: 5 }]);
  // Room for two rows: the second chunk of three rows takes two blocks.
  const { blocks, rounds } = plan(32);
  expect(rounds.map(({ first, count, mostRows }) => [first, count, mostRows])).toEqual([
    [0, 1, 2],
    [1, 1, 2],
    [2, 1, 1],
  ]);
  expect([...blocks.subarray(16, 24)]).toEqual([4, 1, 2, 2, 0, 1, 0, 7]);
});
