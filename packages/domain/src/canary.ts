/** How a new version comes to answer: for a share of the users first, until it is known whether they click less. */
export interface CanarySettings {
  /** The share of the users whom the new version answers, 1-99. */
  sharePercent: number;
  /** Answers that each side must have given before clicks are compared. */
  minimumAnswers: number;
  maximumMinutes: number;
}

export type CanaryStatus = 'RUNNING' | 'PROMOTED' | 'ROLLED_BACK' | 'ABORTED';

/** The sides of a trial: the version that answered before, and the new one. */
export type CanaryArm = 'CONTROL' | 'CANARY';

/** What a side of a trial did: of its answers `clickCount` led to at least one click; errors are no answers. */
export interface ArmCounts {
  answerCount: number;
  clickCount: number;
  errorCount: number;
}

/** What was done this long after an answer, with an item of it, is owed to the answer. */
export const ATTRIBUTION_WINDOW_MS = 24 * 60 * 60 * 1000;

/**
 * The side of a trial that a user is on, the same for the trial's whole life in every process. Another trial draws anew: the
 * same users are not always the first to meet what is new. Of two shares the larger holds all users of the smaller.
 * @param trialId names the trial: the id of the version on trial
 */
export function canaryArmOf(
  { tenantId, trialId, sharePercent }: { tenantId: string; trialId: string; sharePercent: number },
  userExternalId: string,
): CanaryArm {
  const position = mix(`${tenantId}:${trialId}:${userExternalId}`) / 2 ** 32;
  return position * 100 < sharePercent ? 'CANARY' : 'CONTROL';
}

/** FNV-1a over UTF-16 code units with the finaliser of MurmurHash3, whose every bit depends on every bit of the text. */
function mix(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
