import { compareShares } from '@kindred/core/sequential-test';
import type { CanaryEnding } from '@kindred/db/canaries';
import type { ArmCounts, CanaryArm } from '@kindred/domain/canary';

/** A canary that is no different is promoted or rolled back wrongly with at most this probability, however often it is looked at. */
const LEVEL = 0.05;
/** Errors are looked at from so many answers on: the normal approximation needs some, and a broken version cannot wait. */
const ERROR_MINIMUM = 30;

/** What is known of a canary when it is judged. */
export interface CanaryCase {
  counts: Record<CanaryArm, ArmCounts>;
  minimumAnswers: number;
  /** Whether its time is over. */
  isOver: boolean;
}

/** How a canary ends by what both sides did, and why; null while there is no telling. */
export function judgeCanary({ counts, minimumAnswers, isOver }: CanaryCase): CanaryEnding | null {
  const { CONTROL, CANARY } = counts;
  const errors = compareShares(errorsOf(CONTROL), errorsOf(CANARY));
  if (errorsOf(CANARY).total >= ERROR_MINIMUM && errors.difference > 0 && errors.pValue <= LEVEL) {
    const reason = `It failed in ${tell(errorsOf(CANARY))}, the version before in ${tell(errorsOf(CONTROL))}.`;
    return { status: 'ROLLED_BACK', reason };
  }
  const seen = `${tell(clicksOf(CANARY))} led to a click, of the version before ${tell(clicksOf(CONTROL))}`;
  const isEnough = Math.min(CONTROL.answerCount, CANARY.answerCount) >= minimumAnswers;
  if (!isEnough) {
    const wanted = `at least ${minimumAnswers.toLocaleString('en')} of each were wanted`;
    const reason = `Too few answers to tell in the time there was: ${seen}; ${wanted}.`;
    return isOver ? { status: 'ROLLED_BACK', reason } : null;
  }
  const clicks = compareShares(clicksOf(CONTROL), clicksOf(CANARY));
  const isSettled = clicks.pValue <= LEVEL;
  if (isSettled && clicks.difference !== 0) {
    const isBetter = clicks.difference > 0;
    const reason = `It is clicked ${isBetter ? 'more' : 'less'}: ${seen}; error probability at most ${percent(LEVEL)}.`;
    return { status: isBetter ? 'PROMOTED' : 'ROLLED_BACK', reason };
  }
  const reason = `It is clicked no less, as far as can be told in the time there was: ${seen}.`;
  return isOver ? { status: 'PROMOTED', reason } : null;
}

/** A click that came before its answer was counted is no more than the answer. */
function clicksOf({ clickCount, answerCount }: ArmCounts) {
  return { hits: Math.min(clickCount, answerCount), total: answerCount };
}

function errorsOf({ errorCount, answerCount }: ArmCounts) {
  return { hits: errorCount, total: answerCount + errorCount };
}

function tell({ hits, total }: { hits: number; total: number }): string {
  const share = total === 0 ? '' : ` (${percent(hits / total)})`;
  return `${hits.toLocaleString('en')} of ${total.toLocaleString('en')} answers${share}`;
}

function percent(share: number): string {
  return `${(share * 100).toLocaleString('en', { maximumSignificantDigits: 3 })} %`;
}
