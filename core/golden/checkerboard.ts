import type { InteractionMatrix } from '../src/interaction-matrix.ts';

/** A world of two tastes: user u likes every item of the same parity; one liked item of each user is withheld. */
export interface Checkerboard {
  readonly train: InteractionMatrix;
  /** The withheld item row of each user, `[userCount]`. */
  readonly withheld: readonly number[];
}

/** A checkerboard of `size` users and `size` items, `size` even. */
export function createCheckerboard(size: number): Checkerboard {
  const users = Array.from({ length: size }, (_, user) => user);
  const withheld = users.map((user) => (user + 2) % size);
  const pairs = users.flatMap((user) =>
    users.filter((item) => item % 2 === user % 2 && item !== withheld[user]).map((item) => [user, item] as const),
  );
  return { train: matrixOf(size, size, pairs), withheld };
}

/** A matrix of `pairs` (user row, item row) with weight 1, one millisecond apart. */
export function matrixOf(
  userCount: number,
  itemCount: number,
  pairs: readonly (readonly [number, number])[],
): InteractionMatrix {
  return {
    userCount,
    itemCount,
    userRows: Int32Array.from(pairs, ([user]) => user),
    itemRows: Int32Array.from(pairs, ([, item]) => item),
    weights: new Float32Array(pairs.length).fill(1),
    timestamps: Float64Array.from(pairs.keys()),
  };
}
