import type { RandomState } from '@kindred/core/random';
import type { Viewer } from '@kindred/domain/viewer';
import type { Ending } from './invariants.ts';
import type { Scene, Stage } from './stage.ts';

/** A way to disturb a training, and what must come of it all the same. */
export interface Fault {
  /** What holds in spite of it, in a sentence. */
  invariant: string;
  /** How the run may end; SUCCEEDED alone where absent. */
  endings?: readonly Ending[];
  /** What the reason of a run that failed must say. */
  failure?: RegExp;
  /** Whether this machine lets it happen. */
  isPossible?(stage: Stage): boolean;
  /** Makes the tenant's data what the fault wants, before the training begins. */
  prepare?(stage: Stage, viewer: Viewer): Promise<void>;
  strike(stage: Stage, scene: Scene, random: RandomState): Promise<void>;
}
