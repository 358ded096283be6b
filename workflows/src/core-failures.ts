import { permanentFailure } from './failures.ts';

/**
 * What core's refusals mean to the tenant's people; any other error as it is. Errors that come from a thread keep their
 * name and message, not their class.
 */
export function translateCoreError(error: unknown): unknown {
  if (!(error instanceof Error)) {
    return error;
  }
  if (error.name === 'TrainingDivergedError') {
    return permanentFailure(
      'TrainingDiverged',
      `The training diverged. ${error.message} A lower learning rate may help.`,
    );
  }
  if (error.name === 'InteractionDataError') {
    return permanentFailure('NotEnoughData', `The interactions cannot be learned from. ${error.message}`);
  }
  return error;
}
