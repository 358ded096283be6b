import { nextBelow, type RandomState, shuffle } from '../random.ts';

/**
 * All of `trainableEdges` (ascending, so that a user's edges are neighbours) in a random order in which runs of up to
 * `groupSize` random edges of one user stay together. With 1 every order is equally likely.
 */
export function orderEpoch(
  { edgeUsers, trainableEdges }: { readonly edgeUsers: Int32Array; readonly trainableEdges: Int32Array },
  groupSize: number,
  random: RandomState,
): Int32Array {
  const order = trainableEdges.slice();
  if (groupSize === 1) {
    shuffle(random, order);
    return order;
  }
  const starts: number[] = [];
  for (let first = 0, last = 0; first < order.length; first = last) {
    const user = edgeUsers[order[first] as number];
    while (last < order.length && edgeUsers[order[last] as number] === user) last++;
    shuffle(random, order.subarray(first, last));
    // A user's runs start at a random place, so that the short one is any of them.
    const shift = 1 + nextBelow(random, Math.min(groupSize, last - first));
    starts.push(first);
    for (let start = first + shift; start < last; start += groupSize) starts.push(start);
  }
  starts.push(order.length);
  const runs = Int32Array.from({ length: starts.length - 1 }, (_, run) => run);
  shuffle(random, runs);
  const grouped = new Int32Array(order.length);
  let at = 0;
  for (const run of runs) {
    const part = order.subarray(starts[run], starts[run + 1]);
    grouped.set(part, at);
    at += part.length;
  }
  return grouped;
}
