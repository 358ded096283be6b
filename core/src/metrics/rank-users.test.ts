import { Worker } from 'node:worker_threads';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { matrixOf } from '../../golden/checkerboard.ts';
import { nextBelow, nextNormal, type RandomState, seedRandom } from '../random.ts';
import { loadRankingAddon, RANKING_ADDON } from '../ranking-addon.ts';
import { prepareEvaluation } from './evaluation-case.ts';
import { rankByReference } from './rank-by-reference.ts';
import { rankUsers, rankUsersAsync } from './rank-users.ts';
import { loadAddonFrom } from '@kindred/native/load-addon';

const { addon } = loadRankingAddon();

/** A case in which every user is measured, and knows up to `mostKnown` items. */
function randomCase(random: RandomState, { users, items, mostKnown }: Record<'users' | 'items' | 'mostKnown', number>) {
  const known = Array.from({ length: users }, (_, user) =>
    Array.from({ length: nextBelow(random, mostKnown + 1) }, () => [user, nextBelow(random, items)] as const),
  );
  const heldOut = Array.from({ length: users }, (_, user) => [user, 0] as const);
  return prepareEvaluation(matrixOf(users, items, known.flat()), matrixOf(users, items, heldOut));
}

const vectors = (random: RandomState, count: number, scale: (row: number) => number, dimension: number) =>
  Float32Array.from({ length: count * dimension }, (_, at) => nextNormal(random) * scale(Math.floor(at / dimension)));

/** Name, scale of users, scale of items, and what is done to the item vectors. */
const WORLDS: [string, (row: number) => number, (row: number) => number][] = [
  ['equal norms', () => 1, () => 1],
  ['norms that fall over five orders of magnitude', () => 1, (row) => 10 ** -(row % 6)],
  ['null users and items', (row) => row % 3, (row) => (row % 4 === 0 ? 1 : 0)],
  ['values beyond float32 products', (row) => (row % 2 ? 1e30 : 1), () => 1e25],
  ['values whose products vanish in float32', () => 1e-25, () => 1e-25],
  ['values below normal float32', () => 1e-43, () => 1e-40],
];

describe.runIf(addon).each(addon?.kernelNames ?? [])('native ranking with %s kernels', (kernels) => {
  const rankNative = (
    ranker: { userVectors: Float32Array; itemVectors: Float32Array; dimension: number },
    data: ReturnType<typeof randomCase>,
    { cutoff, threads }: { cutoff: number; threads: number },
  ) => {
    if (!addon) throw new Error('The addon is null.');
    const items = new addon.PackedItems(ranker.itemVectors, ranker.dimension, kernels);
    return items.rank(ranker.userVectors, data.known.offsets, data.known.items, cutoff, threads);
  };

  test.each(WORLDS)('gives the rows of the reference for %s', (_name, userScale, itemScale) => {
    const random = seedRandom(11);
    for (const [users, items, dimension, cutoff] of [
      [37, 501, 64, 20],
      [5, 3, 7, 10],
      [1, 1, 1, 1],
      [130, 97, 3, 96],
      [16, 2000, 33, 1],
    ] as const) {
      const data = randomCase(random, { users, items, mostKnown: Math.min(40, items) });
      const userVectors = vectors(random, users, userScale, dimension);
      const itemVectors = vectors(random, items, itemScale, dimension);
      const ranker = { userVectors, itemVectors, dimension };
      const wanted = rankByReference(ranker, data.userRows, data.known, cutoff);
      expect(rankNative(ranker, data, { cutoff, threads: 1 })).toEqual(wanted);
      expect(rankNative(ranker, data, { cutoff, threads: 5 })).toEqual(wanted);
    }
  });

  test('orders many equal and nearly equal scores as the reference does', () => {
    const random = seedRandom(3);
    const data = randomCase(random, { users: 40, items: 3000, mostKnown: 30 });
    // Few distinct vectors, some of which differ in the last bit of one value.
    const itemVectors = Float32Array.from({ length: 3000 * 8 }, (_, at) => {
      const value = ((Math.floor(at / 8) % 3) + (at % 8)) / 7;
      return nextBelow(random, 50) === 0 ? value * (1 + 2 ** -23) : value;
    });
    const ranker = { userVectors: vectors(random, 40, () => 1, 8), itemVectors, dimension: 8 };
    const wanted = rankByReference(ranker, data.userRows, data.known, 25);
    expect(rankNative(ranker, data, { cutoff: 25, threads: 2 })).toEqual(wanted);
  });

  test('refuses what is not whole with a coded error and never reads beyond', () => {
    if (!addon) return;
    const items = new addon.PackedItems(new Float32Array(6), 2, kernels);
    const [users, offsets, none] = [new Float32Array(2), new Int32Array(2), new Int32Array(0)];
    const code = expect.objectContaining({ code: 'RANKING_BAD_ARGUMENT' });
    expect(() => items.rank(new Float32Array(3), offsets, none, 1, 1)).toThrow(code);
    expect(() => items.rank(users, new Int32Array(3), none, 1, 1)).toThrow(code);
    expect(() => items.rank(users, Int32Array.of(0, 5), Int32Array.of(0), 1, 1)).toThrow(code);
    expect(() => items.rank(users, Int32Array.of(0, 1), Int32Array.of(3), 1, 1)).toThrow(code);
    expect(() => items.rank(users, Int32Array.of(0, 2), Int32Array.of(1, 0), 1, 1)).toThrow(code);
    expect(() => items.rank(users, offsets, none, 0, 1)).toThrow(code);
    expect(() => items.rank(users, offsets, none, 1, 0.5)).toThrow(code);
    expect(() => items.rank(Float32Array.of(Number.NaN, 0), offsets, none, 1, 1)).toThrow(code);
    expect(() => new addon.PackedItems(Float32Array.of(Number.POSITIVE_INFINITY), 1, kernels)).toThrow(code);
    expect(() => new addon.PackedItems(new Float32Array(3), 2, kernels)).toThrow(code);
    expect(() => new addon.PackedItems(new Float32Array(2), 2, 'mmx')).toThrow(code);
  });

  test('no items and no users give empty lists', () => {
    if (!addon) return;
    const none = new Int32Array(0);
    const empty = new addon.PackedItems(new Float32Array(0), 2, kernels);
    expect(empty.rank(Float32Array.of(1, 2), new Int32Array(2), none, 3, 2)).toEqual(Int32Array.of(-1, -1, -1));
    expect(empty.rank(new Float32Array(0), new Int32Array(1), none, 3, 2)).toEqual(none);
  });
});

const random = seedRandom(5);
const DATA = randomCase(random, { users: 300, items: 400, mostKnown: 20 });
const RANKER = {
  userVectors: vectors(random, 300, () => 1, 16),
  itemVectors: vectors(random, 400, () => 1, 16),
  dimension: 16,
};

test('both engines and both ways of calling give the same lists', async () => {
  const reference = rankUsers(RANKER, DATA, { cutoff: 10, engine: 'reference' });
  expect(reference.engine).toBe('reference (asked for)');
  const later = await rankUsersAsync(RANKER, DATA, { cutoff: 10, engine: 'reference' });
  expect(later.itemRows).toEqual(reference.itemRows);
  expect(rankUsers(RANKER, DATA, { cutoff: 10 }).itemRows).toEqual(reference.itemRows);
  expect((await rankUsersAsync(RANKER, DATA, { cutoff: 10, threads: 2 })).itemRows).toEqual(reference.itemRows);
});

test('only users with held-out items are ranked', () => {
  const heldOut = matrixOf(300, 400, [
    [7, 1],
    [299, 1],
  ]);
  const some = { ...DATA, ...prepareEvaluation(matrixOf(300, 400, []), heldOut), known: DATA.known };
  const all = rankUsers(RANKER, DATA, { cutoff: 10 });
  const lists = rankUsers(RANKER, some, { cutoff: 10 });
  expect([...lists.userRows]).toEqual([7, 299]);
  expect(lists.itemRows.subarray(0, 10)).toEqual(all.itemRows.subarray(70, 80));
  expect(lists.itemRows.subarray(10)).toEqual(all.itemRows.subarray(2990));
});

test('scores for everybody rank as the vector of the same scores', async () => {
  const scores = Float64Array.from({ length: 400 }, (_, item) => (item * 7) % 31);
  const vectorsOfOne = {
    userVectors: new Float32Array(300).fill(1),
    itemVectors: Float32Array.from(scores),
    dimension: 1,
  };
  const wanted = rankUsers(vectorsOfOne, DATA, { cutoff: 10 }).itemRows;
  expect(rankUsers({ scores }, DATA, { cutoff: 10 }).itemRows).toEqual(wanted);
  const scoreUsers = (users: Int32Array) =>
    Promise.resolve(Float32Array.from({ length: users.length * 400 }, (_, at) => scores[at % 400] ?? 0));
  expect((await rankUsersAsync({ scoreUsers }, DATA, { cutoff: 10 })).itemRows).toEqual(wanted);
});

test('a list is as short as what a user does not know', () => {
  const data = prepareEvaluation(
    matrixOf(1, 3, [
      [0, 0],
      [0, 2],
    ]),
    matrixOf(1, 3, [[0, 1]]),
  );
  for (const engine of ['auto', 'reference'] as const) {
    const ranker = { userVectors: Float32Array.of(1), itemVectors: Float32Array.of(3, 2, 1), dimension: 1 };
    expect([...rankUsers(ranker, data, { cutoff: 3, engine }).itemRows]).toEqual([1, -1, -1]);
  }
});

test('without the addon the reference serves and the engine says why', () => {
  const addonState = loadAddonFrom(join(import.meta.dirname, 'no-such-folder'), RANKING_ADDON);
  expect(rankUsers(RANKER, DATA, { cutoff: 1, addonState }).engine).toContain('was not built');
  expect(() => rankUsers(RANKER, DATA, { cutoff: 1, addonState, engine: 'native' })).toThrow(
    expect.objectContaining({ name: 'RankingUnavailableError' }),
  );
});

test('a signal ends the ranking with its reason', async () => {
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error('enough'));
  const ranking = rankUsersAsync(RANKER, DATA, {
    cutoff: 1,
    engine: 'reference',
    signal: controller.signal,
    onProgress,
  });
  await expect(ranking).rejects.toThrow('enough');
});

test.each([0, 1.5, Number.NaN])('a cut-off of %d is refused', (cutoff) => {
  expect(() => rankUsers(RANKER, DATA, { cutoff })).toThrow(RangeError);
});

test.runIf(addon)('a promise does not care what happens to its arguments', async () => {
  if (!addon) return;
  const wanted = rankUsers(RANKER, DATA, { cutoff: 10 }).itemRows;
  const items = new addon.PackedItems(RANKER.itemVectors, 16, '');
  const [users, offsets, known] = [RANKER.userVectors.slice(), DATA.known.offsets.slice(), DATA.known.items.slice()];
  const ranking = items.rankAsync(users, offsets, known, 10, 1);
  for (const array of [users, offsets, known]) structuredClone(array.buffer, { transfer: [array.buffer] });
  expect(await ranking).toEqual(wanted);
  await expect(items.rankAsync(new Float32Array(16), Int32Array.of(0, 1), Int32Array.of(-1), 1, 1)).rejects.toThrow(
    expect.objectContaining({ code: 'RANKING_BAD_ARGUMENT' }),
  );
});

test.runIf(addon)('worker threads rank at once, and one that is terminated meanwhile harms nobody', async () => {
  const code = `
    const { workerData, parentPort } = require('node:worker_threads');
    const { PackedItems } = require(workerData.path);
    const items = new PackedItems(new Float32Array(64 * 5000).fill(1), 64, '');
    const offsets = new Int32Array(1001);
    parentPort.postMessage([...items.rank(new Float32Array(64).fill(1), offsets.slice(0, 2), new Int32Array(0), 3, 2)]);
    items.rankAsync(new Float32Array(64 * 1000).fill(1), offsets, new Int32Array(0), 3, 2);
    setInterval(() => {}, 1000);`;
  const path = join(import.meta.dirname, '../../build/ranking.node');
  const workers = [1, 2, 3].map(() => new Worker(code, { eval: true, workerData: { path } }));
  const answers = await Promise.all(
    workers.map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))),
  );
  expect(answers).toEqual([
    [0, 1, 2],
    [0, 1, 2],
    [0, 1, 2],
  ]);
  await Promise.all(workers.map((worker) => worker.terminate()));
  expect(rankUsers(RANKER, DATA, { cutoff: 1 }).itemRows).toHaveLength(300);
});

test.runIf(addon)('closed items hold no memory, finish what is under way and take no more', async () => {
  if (!addon) return;
  const items = new addon.PackedItems(RANKER.itemVectors, 16, '');
  const search = [RANKER.userVectors, DATA.known.offsets, DATA.known.items, 10, 1] as const;
  const ranking = items.rankAsync(...search);
  expect(items.sizeBytes).toBeGreaterThan(RANKER.itemVectors.byteLength);
  items.close();
  items.close();
  expect(items.sizeBytes).toBe(0);
  expect(await ranking).toEqual(rankUsers(RANKER, DATA, { cutoff: 10 }).itemRows);
  expect(() => items.rank(...search)).toThrow(expect.objectContaining({ code: 'RANKING_BAD_ARGUMENT' }));
});

test.runIf(addon)('rankings that never let the event loop turn pile up no memory', () => {
  const itemCount = 160_000;
  const itemVectors = new Float32Array(itemCount * 16).map((_, at) => (at % 7) - 3);
  const data = prepareEvaluation(matrixOf(1, itemCount, [[0, 1]]), matrixOf(1, itemCount, [[0, 0]]));
  const ranker = { userVectors: new Float32Array(16).fill(1), itemVectors, dimension: 16 };
  const rankTwenty = () => {
    for (let round = 0; round < 20; round++) rankUsers(ranker, data, { cutoff: 10 });
  };
  // The allocator keeps what the first rankings freed.
  rankTwenty();
  const before = process.memoryUsage.rss();
  rankTwenty();
  expect(process.memoryUsage.rss() - before).toBeLessThan(30 * itemVectors.byteLength);
});
