import { foldInUser } from '@kindred/core/fold-in';
import type { LoadedVersion } from './load-version.ts';
import type { History } from './history.ts';

/** What a version makes of somebody. */
export interface Taste {
  vector: Float32Array;
  /** The rows of the own items that the vector is folded in from; empty for a trained vector. */
  itemRows: readonly number[];
}

/** Older items say little of what somebody wants now. */
const MOST_FOLDED_IN = 200;

/**
 * The vector that the version was trained to, for a user of whom nothing newer is known; otherwise, and to explain, one
 * folded in from the latest items. Null when the version knows none of them.
 */
export function tasteOf(version: LoadedVersion, history: History, { explain }: { explain: boolean }): Taste | null {
  const trained = trainedVector(version, history);
  if (trained !== null && !explain) return { vector: trained, itemRows: [] };
  const { artefact, itemRows: rowOf } = version;
  const known = history.itemIds.flatMap((itemId) => rowOf.get(itemId) ?? []);
  const itemRows = known.filter((row) => (artefact.itemDegrees[row] ?? 0) > 0).slice(0, MOST_FOLDED_IN);
  if (itemRows.length > 0) return { vector: foldInUser(artefact, itemRows), itemRows };
  return trained && { vector: trained, itemRows: [] };
}

function trainedVector({ artefact, userRows, trainedAt }: LoadedVersion, history: History): Float32Array | null {
  const row = history.userId === null ? undefined : userRows.get(history.userId);
  // Two clocks: what occurred before may be recorded late, and one event dated far ahead must not hide all later ones.
  const isNews = history.newestOccurredAt.getTime() > artefact.cutoffTimestamp || history.newestRecordedAt > trainedAt;
  if (row === undefined || isNews) return null;
  return artefact.users.subarray(row * artefact.dimension, (row + 1) * artefact.dimension);
}
