import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { PERMANENT_FAILURES } from '../failures.ts';

/** Why a job failed, in one sentence for the tenant's people. Internal messages are not repeated in it. */
export function describeJobFailure(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure && PERMANENT_FAILURES.some((type) => type === cause.type)) {
    return cause.message;
  }
  return 'A step failed or did not end in its time, however often it was tried.';
}
