import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { TrainingPhase } from '@kindred/domain/training';
import { PERMANENT_FAILURES } from '../failures.ts';

const WORK_OF_PHASE: Record<TrainingPhase, string> = {
  PREFLIGHT: 'checking the data',
  SNAPSHOT: 'exporting the interactions',
  INSTANT_MODEL: 'fitting the model that needs no training',
  TRAIN: 'learning the embeddings',
  EVALUATE: 'measuring the model',
  BUILD_INDEX: 'building the index',
  PROMOTE: 'promoting the version',
  CANARY: 'trying the version out',
};

/** Why a run failed, in one sentence for the tenant's people. Internal messages are not repeated in it. */
export function describeFailure(phase: TrainingPhase, error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure && PERMANENT_FAILURES.some((type) => type === cause.type)) {
    return cause.message;
  }
  const work = WORK_OF_PHASE[phase];
  if (cause instanceof TimeoutFailure) {
    return `The training stopped while ${work}: the step did not end in its time, however often it was tried.`;
  }
  return `The training stopped while ${work}: the step failed however often it was tried. The version that served before still serves.`;
}
