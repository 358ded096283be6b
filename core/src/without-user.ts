import type { Artefact } from './artefact.ts';

/**
 * The artefact without a user's row; null when the user has none. All else stays: what the items learned from the user is
 * theirs until the next training.
 */
export function withoutUser(artefact: Artefact, userId: string): Artefact | null {
  const row = artefact.userIds.indexOf(userId);
  if (row < 0) return null;
  const { dimension, users, userIds } = artefact;
  const kept = new Float32Array(users.length - dimension);
  kept.set(users.subarray(0, row * dimension));
  kept.set(users.subarray((row + 1) * dimension), row * dimension);
  return { ...artefact, users: kept, userIds: [...userIds.slice(0, row), ...userIds.slice(row + 1)] };
}
