import { matrixOf } from '../golden/checkerboard.ts';
import type { InteractionMatrix } from '../src/interaction-matrix.ts';
import { nextBelow, type RandomState } from '../src/random.ts';

/** A random item of every user but the last: of all of them no vectors would have to be gathered. */
export function drawHeldOut(
  { userCount, itemCount }: { readonly userCount: number; readonly itemCount: number },
  random: RandomState,
): InteractionMatrix {
  const pairs = Array.from({ length: userCount - 1 }, (_, user) => [user, nextBelow(random, itemCount)] as const);
  return matrixOf(userCount, itemCount, pairs);
}
