import { encodeArtefact } from '@kindred/core/artefact';
import type { FoldableVectors } from '@kindred/core/foldable-vectors';
import { countUsersByItem, type InteractionMatrix } from '@kindred/core/interaction-matrix';
import type { Snapshot } from '@kindred/core/snapshot';

/** A model that was fitted to the training part of a snapshot as the file that serving loads; equal models give equal bytes. */
export function encodeModel(
  { matrix, userIds, itemIds }: Snapshot,
  train: InteractionMatrix,
  vectors: FoldableVectors,
): Uint8Array<ArrayBuffer> {
  return encodeArtefact({
    ...vectors,
    userIds,
    itemIds,
    itemDegrees: countUsersByItem(train),
    popularity: countUsersByItem(matrix),
    cutoffTimestamp: matrix.timestamps.reduce((newest, timestamp) => Math.max(newest, timestamp), 0),
  });
}
