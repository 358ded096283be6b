import { AppError } from '@kindred/domain/app-error';
import { canaryArmOf, type CanaryArm } from '@kindred/domain/canary';
import type { ModelVersionId, TenantId } from '@kindred/domain/ids';
import type { RecommendationContext } from './context.ts';
import type { Lease } from './held-version.ts';
import type { LoadedVersion } from './load-version.ts';
import type { Question } from './read-question.ts';

/** A version that a share of the users is answered with beside the one that answers. */
export interface Trial {
  /** The version on trial. */
  id: ModelVersionId;
  controlId: ModelVersionId;
  sharePercent: number;
  /** Null when it cannot be loaded. */
  version: LoadedVersion | null;
}

/** On which side of a trial an answer is. */
export interface Side {
  trial: Trial;
  arm: CanaryArm;
}

/** The user's side; null for visitors, who have no name to draw by, and where what answers is not what the trial compares with. */
export function sideOf(tenantId: TenantId, { trial, current }: Lease, { audience }: Question): Side | null {
  if (trial === null || audience === null || !('userExternalId' in audience) || current?.id !== trial.controlId) {
    return null;
  }
  const arm = canaryArmOf({ tenantId, trialId: trial.id, sharePercent: trial.sharePercent }, audience.userExternalId);
  return { trial, arm };
}

/** The side, if its own version answered; a page before may have been of another, or the version cannot be loaded. */
export function answersOf(side: Side | null, version: LoadedVersion | null): Side | null {
  const own = side?.arm === 'CANARY' ? side.trial.id : side?.trial.controlId;
  return version?.id === own ? side : null;
}

interface Counting {
  tenantId: TenantId;
  side: Side | null;
}

/** Counts an answer for the side that gave it, and an error for one whose version cannot be loaded. */
export function countAnswer(
  { canaries }: Pick<RecommendationContext, 'canaries'>,
  { tenantId, side }: Counting,
  version: LoadedVersion | null,
): void {
  if (side === null) return;
  if (answersOf(side, version)) canaries.count(tenantId, side, 'answer');
  else if (side.arm === 'CANARY' && side.trial.version === null) canaries.count(tenantId, side, 'error');
}

/** Counts an error for the side whose ranking fails, but for what the asker or the load is to blame for. */
export async function countErrors<T>(
  { canaries }: Pick<RecommendationContext, 'canaries'>,
  { tenantId, side }: Counting,
  rank: () => Promise<T>,
): Promise<T> {
  try {
    return await rank();
  } catch (error) {
    if (side !== null && !(error instanceof AppError)) canaries.count(tenantId, side, 'error');
    throw error;
  }
}
