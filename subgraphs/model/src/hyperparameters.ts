import { resolveHyperparameters } from '@kindred/core/lightgcn/hyperparameters';
import type { CatalogCounts } from '@kindred/db/catalog-counts';
import type { Hyperparameters, HyperparameterSettings, LossName } from '@kindred/domain/training';
import type { HyperparametersInput, UserError } from './generated/resolvers.ts';

/** The part of the interactions that is not held out for validation and test. */
const TRAINING_SHARE = 0.8;

type NumberSetting = Exclude<keyof Hyperparameters, 'loss'>;

interface Range {
  /** What is wanted, in words that go behind "wanted". */
  wanted: string;
  accepts: (value: number) => boolean;
}

const between = (low: number, high: number): Range => ({
  wanted: `${low.toLocaleString('en', { maximumSignificantDigits: 21 })} to ${high.toLocaleString('en')}`,
  accepts: (value) => value >= low && value <= high,
});

/** The ranges that schema.graphql states for `HyperparametersInput`. */
const RANGES: Record<NumberSetting, Range> = {
  dimension: between(4, 512),
  layers: between(0, 8),
  learningRate: { wanted: 'above 0 and at most 1', accepts: (value) => value > 0 && value <= 1 },
  regularization: between(0, 1),
  batchSize: between(1, 65_536),
  epochs: between(1, 1_000),
  patience: between(1, 1_000),
  seed: between(0, 2 ** 31 - 1),
  initialDeviation: between(0.0001, 1),
  userGroup: between(1, 65_536),
  lengthExponent: between(0, 2),
  temperature: between(0.05, 10),
  secondTemperature: between(0.1, 2),
  logQCorrection: between(0, 2),
  negatives: between(1, 65_536),
  negativesGrowth: between(1, 10),
};

const OF_SOFTMAX: readonly NumberSetting[] = [
  'temperature',
  'secondTemperature',
  'logQCorrection',
  'negatives',
  'negativesGrowth',
];

/** `base` with what `input` says otherwise, and an error for every value that its field does not accept. */
export function mergeSettings(
  base: HyperparameterSettings,
  input: HyperparametersInput | null | undefined,
): { settings: HyperparameterSettings; userErrors: UserError[] } {
  const loss: LossName | undefined = input?.loss ?? base.loss;
  const settings: HyperparameterSettings = { ...base, ...(loss && { loss }) };
  const userErrors: UserError[] = [];
  const refuse = (name: NumberSetting, message: string) =>
    userErrors.push({ code: 'INVALID', message, path: ['hyperparameters', name] });
  for (const name of Object.keys(RANGES) as NumberSetting[]) {
    const value = input?.[name];
    if (value == null) {
      continue;
    }
    settings[name] = value;
    if (!RANGES[name].accepts(value)) {
      refuse(name, `${name} must be ${RANGES[name].wanted}, got ${value}.`);
    } else if (loss === 'bpr' && OF_SOFTMAX.includes(name)) {
      refuse(name, `${name} belongs to the loss SOFTMAX, got it with the loss BPR.`);
    }
  }
  return { settings, userErrors };
}

/** Hyper-parameters, and which of them somebody set. */
export type ShownHyperparameters = Hyperparameters & { overridden: string[] };

/** What was set, and for the rest the defaults for a catalogue of this size. */
export function resolveByCatalog(settings: HyperparameterSettings, catalog: CatalogCounts): Hyperparameters {
  const interactionCount = Math.round(catalog.interactionCount * TRAINING_SHARE);
  return resolveHyperparameters({ ...catalog, interactionCount }, settings);
}

/** @param settings what somebody set */
export function showHyperparameters(
  hyperparameters: Hyperparameters,
  settings: HyperparameterSettings,
): ShownHyperparameters {
  return {
    ...hyperparameters,
    overridden: Object.keys(settings)
      .filter((name) => name in hyperparameters)
      .toSorted(),
  };
}
