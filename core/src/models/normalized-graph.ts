import type { ItemLists } from '../interaction-matrix.ts';
import { countPerRow, powers, transposeLists } from './histories.ts';
import type { NormalizedGraph } from './linear-algebra.ts';

/** Bytes of a `NormalizedGraph` and the lists it is made of. */
export function normalizedGraphBytes(size: { userCount: number; itemCount: number; interactionCount: number }): number {
  return 16 * size.interactionCount + 8 * (size.userCount + size.itemCount + 2);
}

/** N = D_users^-1/2 R D_items^-1/2 of the distinct pairs: its singular values are in [0, 1]. */
export function normalizeGraph(lists: ItemLists, itemCount: number): NormalizedGraph {
  const byItem = transposeLists(lists, itemCount);
  const userScale = powers(countPerRow(lists), -0.5);
  const itemScale = powers(countPerRow(byItem), -0.5);
  return {
    userOffsets: lists.offsets,
    userItems: lists.items,
    userValues: scaleEntries(lists, userScale, itemScale),
    itemOffsets: byItem.offsets,
    itemUsers: byItem.items,
    itemValues: scaleEntries(byItem, itemScale, userScale),
  };
}

function scaleEntries({ offsets, items }: ItemLists, rowScale: Float32Array, entryScale: Float32Array): Float32Array {
  const values = new Float32Array(items.length);
  for (let row = 0; row + 1 < offsets.length; row++) {
    const scale = rowScale[row] as number;
    for (let entry = offsets[row] as number; entry < (offsets[row + 1] as number); entry++) {
      values[entry] = scale * (entryScale[items[entry] as number] as number);
    }
  }
  return values;
}
