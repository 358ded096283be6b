import type { Artefact } from './artefact.ts';
import { foldInUser } from './fold-in.ts';
import { listItemsByUser } from './interaction-matrix.ts';
import type { VectorRanker } from './metrics/ranker.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * A model that was trained on one snapshot as a ranker over another's rows, so that both can be measured on the same
 * interactions: users whom the model does not know are folded in from their items in `snapshot`, as serving would, and items
 * that it does not know stand behind all others. `[users, dimension + 1]`: the last column holds those items back.
 */
export function alignArtefact(artefact: Artefact, { matrix, userIds, itemIds }: Snapshot): VectorRanker {
  const { dimension } = artefact;
  const width = dimension + 1;
  const ownItemRows = rowsOf(artefact.itemIds, itemIds);
  const ownUserRows = rowsOf(artefact.userIds, userIds);
  const { offsets, items } = listItemsByUser(matrix);
  const userVectors = new Float32Array(userIds.length * width);
  ownUserRows.forEach((own, user) => {
    const vector = own >= 0 ? artefact.users.subarray(own * dimension, (own + 1) * dimension) : foldIn(itemsOf(user));
    userVectors.set(vector, user * width);
    userVectors[user * width + dimension] = 1;
  });
  const behindAll = -1 - largestNorm(userVectors, width) * largestNorm(artefact.items, dimension);
  const itemVectors = new Float32Array(itemIds.length * width);
  ownItemRows.forEach((own, item) => {
    if (own >= 0) itemVectors.set(artefact.items.subarray(own * dimension, (own + 1) * dimension), item * width);
    else itemVectors[item * width + dimension] = behindAll;
  });
  return { userVectors, itemVectors, dimension: width };

  function itemsOf(user: number): number[] {
    const rows = Array.from(items.subarray(offsets[user], offsets[user + 1]), (item) => ownItemRows[item] as number);
    return rows.filter((row) => row >= 0);
  }

  function foldIn(itemRows: number[]): Float32Array {
    return itemRows.length === 0 ? new Float32Array(dimension) : foldInUser(artefact, itemRows);
  }
}

/** The row of each of `wanted` among `ids`, -1 where it is not there. */
function rowsOf(ids: readonly string[], wanted: readonly string[]): Int32Array {
  const rows = new Map(ids.map((id, row) => [id, row]));
  return Int32Array.from(wanted, (id) => rows.get(id) ?? -1);
}

function largestNorm(vectors: Float32Array, width: number): number {
  let largest = 0;
  for (let start = 0; start < vectors.length; start += width) {
    let sum = 0;
    for (let at = start; at < start + width; at++) sum += (vectors[at] as number) ** 2;
    largest = Math.max(largest, sum);
  }
  return Math.sqrt(largest);
}
