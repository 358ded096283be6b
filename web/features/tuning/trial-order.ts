import type { TrialStatus } from '../../src/generated/graphql.ts';

interface Trial {
  number: number;
  status: TrialStatus;
  ndcgAt10?: number | null;
}

const OVER: readonly TrialStatus[] = ['DONE', 'STOPPED', 'FAILED'];

/** How many trials have ended, however they did. */
export function endedCount(trials: readonly Trial[]): number {
  return trials.filter(({ status }) => OVER.includes(status)).length;
}

/** The trial that ranks best so far, the earliest of equals; null before the first epoch of any. */
export function leadingTrial<Each extends Trial>(trials: readonly Each[]): Each | null {
  return trials.reduce<Each | null>(
    (best, trial) => ((trial.ndcgAt10 ?? -1) > (best?.ndcgAt10 ?? -1) ? trial : best),
    null,
  );
}
