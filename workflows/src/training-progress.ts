/** Where a training stands after an epoch: small, stored beside the state, and all that a resumed attempt needs to know. */
export interface TrainingProgress {
  epoch: number;
  stateKey: string;
  best: BestEpoch;
}

/** The epoch whose embeddings would become the version if the training ended now. */
export interface BestEpoch {
  epoch: number;
  ndcgAt10: number;
  stateKey: string;
}

/** Points at a stored progress. */
export interface CheckpointPointer {
  epoch: number;
  checkpointKey: string;
}

/** The progress after one more epoch; the earliest of equally good epochs stays the best. */
export function progressAfter(
  before: TrainingProgress | null,
  finished: { epoch: number; ndcgAt10: number; stateKey: string },
): TrainingProgress {
  const best = before === null || finished.ndcgAt10 > before.best.ndcgAt10 ? finished : before.best;
  return { epoch: finished.epoch, stateKey: finished.stateKey, best };
}

/** Whether all epochs are done, or `patience` of them went by without a better validation NDCG@10. */
export function isTrainingOver(
  progress: TrainingProgress | null,
  { epochs, patience }: { epochs: number; patience: number },
): boolean {
  return progress !== null && (progress.epoch >= epochs || progress.epoch - progress.best.epoch >= patience);
}

/** The pointer that is furthest on: a heartbeat may lag behind the store by seconds. */
export function furthest(...pointers: readonly (CheckpointPointer | null | undefined)[]): CheckpointPointer | null {
  return pointers.reduce<CheckpointPointer | null>(
    (best, pointer) => (pointer != null && pointer.epoch > (best?.epoch ?? 0) ? pointer : best),
    null,
  );
}
