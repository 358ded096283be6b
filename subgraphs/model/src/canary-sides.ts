import type { CanaryRow } from '@kindred/db/canaries';
import type { ArmCounts, CanaryArm } from '@kindred/domain/canary';
import type { ModelVersionId } from '@kindred/domain/ids';

/** A `CanarySide`. */
export interface CanarySide extends ArmCounts {
  versionId: ModelVersionId;
  sharePercent: number;
}

/** One side of a canary with what it did; one of whose counts nothing is known did nothing. */
export function sideOf(canary: CanaryRow, arm: CanaryArm, counts: Record<CanaryArm, ArmCounts> | null): CanarySide {
  const { versionId, controlId, sharePercent } = canary;
  const place =
    arm === 'CANARY' ? { versionId, sharePercent } : { versionId: controlId, sharePercent: 100 - sharePercent };
  return { ...place, ...(counts?.[arm] ?? { answerCount: 0, clickCount: 0, errorCount: 0 }) };
}

/** Null before the first answer; a click that is stored before its answer is counted makes no more than 1. */
export function clickThroughRate({ clickCount, answerCount }: ArmCounts): number | null {
  return answerCount === 0 ? null : Math.min(1, clickCount / answerCount);
}
