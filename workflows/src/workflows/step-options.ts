import { ActivityCancellationType } from '@temporalio/workflow';

/** A step that may end only by an ending of its own: tried until it is written. */
export const ENDING_STEP = {
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
} as const;

const retry = { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 8 } as const;

export const SHORT_STEP = { startToCloseTimeout: '1 minute', retry } as const;

/** Within ten seconds of a worker's death such a step goes to another; a cancelled one has stopped before its job ends. */
export const LONG_STEP = {
  startToCloseTimeout: '24 hours',
  heartbeatTimeout: '10 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry,
} as const;
