import { resolveHyperparameters } from '@kindred/core/lightgcn/hyperparameters';
import { nextUint32, seedRandom } from '@kindred/core/random';
import { createPlaces, pointAt, type SearchSpace } from '@kindred/core/tune/search-space';
import type { Hyperparameters, HyperparameterSettings } from '@kindred/domain/training';
import type { TuningOrder } from '@kindred/domain/tunings';
import type { SnapshotRef } from './write-snapshot.ts';

/** What decides most beside the size of the data, by the loss; other settings follow the data as ever. */
const SPACES: Record<Hyperparameters['loss'], SearchSpace> = {
  softmax: {
    layers: { kind: 'whole', low: 1, high: 3 },
    learningRate: { kind: 'real', low: 1e-3, high: 3e-2, scale: 'log' },
    regularization: { kind: 'real', low: 1e-5, high: 1e-2, scale: 'log' },
    temperature: { kind: 'real', low: 0.08, high: 0.5, scale: 'log' },
    logQCorrection: { kind: 'real', low: 0, high: 1 },
  },
  bpr: {
    layers: { kind: 'whole', low: 1, high: 3 },
    learningRate: { kind: 'real', low: 1e-3, high: 3e-2, scale: 'log' },
    regularization: { kind: 'real', low: 1e-5, high: 1e-2, scale: 'log' },
  },
};

/**
 * What every trial trains with, and what each tries instead: the first nothing, so that no tuning does worse than the model's
 * own settings; the others places that fill the space evenly. The same for the same seed.
 */
export function planTrials(
  { userCount, itemCount, trainingCount }: SnapshotRef,
  settings: HyperparameterSettings,
  { trialCount, epochs, seed }: Pick<TuningOrder, 'trialCount' | 'epochs' | 'seed'>,
): { base: Hyperparameters; points: HyperparameterSettings[] } {
  const size = { userCount, itemCount, interactionCount: trainingCount };
  const usual: Hyperparameters = resolveHyperparameters(size, settings);
  const base = { ...usual, epochs: Math.min(usual.epochs, epochs) };
  const space = SPACES[base.loss];
  const random = seedRandom(seed);
  const nextPlace = createPlaces('sobol', Object.keys(space).length, seedRandom(nextUint32(random)));
  const others = Array.from({ length: trialCount - 1 }, (): HyperparameterSettings => pointAt(space, nextPlace()));
  return { base, points: [{}, ...others] };
}
