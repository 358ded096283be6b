import type { Answer } from './backend.ts';

/** The loss or a vector is no longer finite: the learning rate is too high for this data. */
export class TrainingDivergedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TrainingDivergedError';
  }
}

/** The losses of one epoch's steps, which may come later than the steps are taken. */
export interface EpochLoss {
  /** Counts a step. */
  add(loss: Answer<number>, sampleCount: number): void;
  /** Whether so many losses are outstanding that `settle` is due before the next step. */
  isAhead(): boolean;
  /** Waits for the oldest losses. */
  settle(): Promise<void>;
  /** The sum of loss * samples over all steps, in their order, so that it has the same bits every time. */
  sum(): Promise<number>;
}

/** Steps ahead of the oldest loss still to come: enough to keep a device busy, few enough to see divergence soon. */
const STEPS_AHEAD = 32;

/**
 * An epoch without steps; `describe` says at which step it stands, for the message.
 * @throws TrainingDivergedError from its calls, once a loss is not finite.
 */
export function createEpochLoss(describe: () => string): EpochLoss {
  let total = 0;
  const coming: { loss: Promise<number>; sampleCount: number; place: string }[] = [];
  const count = (loss: number, sampleCount: number, place: string) => {
    if (!Number.isFinite(loss)) throw new TrainingDivergedError(`Loss is ${loss} at ${place}.`);
    total += loss * sampleCount;
  };
  const settle = async (most: number) => {
    for (let oldest = coming[0]; oldest && coming.length > most; oldest = coming[0]) {
      coming.shift();
      count(await oldest.loss, oldest.sampleCount, oldest.place);
    }
  };
  return {
    add: (loss, sampleCount) => {
      if (typeof loss === 'number') {
        count(loss, sampleCount, describe());
        return;
      }
      // Every failure is met in `settle`; one that comes before its turn is no unhandled rejection.
      loss.catch(() => undefined);
      coming.push({ loss, sampleCount, place: describe() });
    },
    isAhead: () => coming.length > STEPS_AHEAD,
    settle: () => settle(STEPS_AHEAD),
    sum: async () => {
      await settle(0);
      return total;
    },
  };
}
