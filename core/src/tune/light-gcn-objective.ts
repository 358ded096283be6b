import type { InteractionMatrix } from '../interaction-matrix.ts';
import type { BackendOptions } from '../lightgcn/backend.ts';
import { TrainingDivergedError } from '../lightgcn/epoch-loss.ts';
import type { Hyperparameters } from '../lightgcn/hyperparameters.ts';
import { closeTraining, createTraining, isTrainingFinished, trainNextEpoch } from '../lightgcn/training.ts';
import type { Objective } from './search.ts';

/**
 * The validation NDCG@10 of LightGCN after each epoch, with early stopping as in every training. The point overrides
 * `base`; without a seed in it the trial's own is taken.
 */
export function lightGcnObjective<Point extends Partial<Hyperparameters>>(
  data: { readonly train: InteractionMatrix; readonly validation: InteractionMatrix },
  base: Hyperparameters,
  options: BackendOptions = {},
): Objective<Point> {
  return async function* trainAtPoint(point, { seed, signal }) {
    const training = await createTraining(data.train, data.validation, { ...base, seed, ...point }, options);
    try {
      while (!isTrainingFinished(training)) {
        signal.throwIfAborted();
        yield (await trainNextEpoch(training)).ndcgAt10;
      }
    } finally {
      closeTraining(training);
    }
  };
}

/** A training that diverges condemns its point, not the search. */
export function isTrainingFailure(error: unknown): boolean {
  return error instanceof TrainingDivergedError;
}
