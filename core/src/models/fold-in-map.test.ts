import { expect, test } from 'vitest';
import { matrixOf } from '../../golden/checkerboard.ts';
import { foldInUser } from '../fold-in.ts';
import type { InteractionMatrix } from '../interaction-matrix.ts';
import { nextBelow, nextNormal, seedRandom } from '../random.ts';
import { chooseAlgebra } from './choose-algebra.ts';
import { fitFoldInMap } from './fold-in-map.ts';

const DIMENSION = 4;
const ITEM_COUNT = 30;

function createWorld(userCount: number): { train: InteractionMatrix; items: Float32Array } {
  const random = seedRandom(3);
  const pairs = Array.from(
    { length: userCount * 6 },
    (_, at) => [at % userCount, nextBelow(random, ITEM_COUNT)] as const,
  );
  const items = Float32Array.from({ length: ITEM_COUNT * DIMENSION }, () => nextNormal(random));
  return { train: matrixOf(userCount, ITEM_COUNT, pairs), items };
}

/** What users would be folded in to by `map`, or by the plain sum. */
function foldAll({ train, items }: ReturnType<typeof createWorld>, map: Float32Array | null): Float32Array {
  const itemDegrees = new Int32Array(ITEM_COUNT).fill(1);
  const model = { dimension: DIMENSION, items, itemDegrees, foldInPower: 0, foldInMap: map };
  const out = new Float32Array(train.userCount * DIMENSION);
  for (let user = 0; user < train.userCount; user++) {
    const own = train.itemRows.filter((_, at) => train.userRows[at] === user);
    out.set(foldInUser(model, own), user * DIMENSION);
  }
  return out;
}

function distance(left: Float32Array, right: Float32Array): number {
  const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value ** 2, 0);
  return Math.sqrt(squares(left.map((value, at) => value - (right[at] ?? 0))) / squares(right));
}

test('where trained vectors are a linear map of the histories, folding in finds them again', async () => {
  const world = createWorld(200);
  const truth = Float32Array.of(1, 0.5, 0, 0, -0.5, 1, 0, 0, 0, 0, 2, 1, 0, 0, 0, -1);
  const users = foldAll(world, truth);
  const map = await fitFoldInMap(world.train, { dimension: DIMENSION, users, items: world.items }, chooseAlgebra());
  expect(distance(foldAll(world, map), users)).toBeLessThan(0.02);
  expect(distance(foldAll(world, null), users)).toBeGreaterThan(0.5);
});

test('one user bends the map in one direction alone; elsewhere it stays a multiple of the sum', async () => {
  const world = createWorld(1);
  const users = foldAll(world, null).map((value) => 3 * value);
  const map = await fitFoldInMap(world.train, { dimension: DIMENSION, users, items: world.items }, chooseAlgebra());
  const wanted = Float32Array.from({ length: DIMENSION ** 2 }, (_, at) => (at % (DIMENSION + 1) === 0 ? 3 : 0));
  expect(distance(map, wanted)).toBeLessThan(0.01);
});

test('without anybody to learn from the map is the identity', async () => {
  const train = matrixOf(2, ITEM_COUNT, []);
  const items = new Float32Array(ITEM_COUNT * DIMENSION).fill(1);
  const users = new Float32Array(2 * DIMENSION);
  const map = await fitFoldInMap(train, { dimension: DIMENSION, users, items }, chooseAlgebra());
  expect([...map]).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
});
