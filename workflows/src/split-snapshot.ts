import type { InteractionMatrix } from '@kindred/core/interaction-matrix';
import { splitPerUser, type InteractionSplit } from '@kindred/core/split';

/**
 * The split of every training: each user's latest tenth is for the test, the tenth before chooses the epoch. A model is
 * measured by what its users did next, and the figures belong to exactly the model that serves.
 */
export function splitSnapshot(matrix: InteractionMatrix): InteractionSplit {
  return splitPerUser(matrix, { strategy: 'temporal', validationShare: 0.1, testShare: 0.1, seed: 1 });
}
