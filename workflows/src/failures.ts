import { ApplicationFailure } from '@temporalio/common';

/**
 * The failures whose message is written for the tenant's people: it says what was wanted and what came, and names nothing
 * internal. The message of any other failure stays in the workflow's history and the log.
 */
export const PERMANENT_FAILURES = [
  'NotEnoughData',
  'NotEnoughMemory',
  'TrainingDiverged',
  'RunClosed',
  'JobClosed',
  'UnreadableImport',
  'ImportRefused',
  'NoGpu',
] as const;

export type PermanentFailure = (typeof PERMANENT_FAILURES)[number];

/** A failure that another attempt would only repeat. */
export function permanentFailure(type: PermanentFailure, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, type);
}
