import type { HyperparametersInput, LossFunction } from '../../src/generated/graphql.ts';

export const LOSS_LABELS: Record<LossFunction, string> = { SOFTMAX: 'Softmax', BPR: 'BPR' };

interface Setting {
  key: Exclude<keyof HyperparametersInput, 'loss'>;
  label: string;
  min: number;
  max: number;
  step: number;
}

/** The numbers that a model may set, with the bounds of the API. */
const SETTINGS: readonly Setting[] = [
  { key: 'dimension', label: 'Embedding dimension', min: 4, max: 512, step: 16 },
  { key: 'layers', label: 'Propagation layers', min: 0, max: 8, step: 1 },
  { key: 'learningRate', label: 'Learning rate', min: 0, max: 1, step: 0.001 },
  { key: 'regularization', label: 'Regularisation', min: 0, max: 1, step: 0.0001 },
  { key: 'batchSize', label: 'Batch size', min: 1, max: 65_536, step: 512 },
  { key: 'epochs', label: 'Epochs at most', min: 1, max: 1000, step: 10 },
  { key: 'patience', label: 'Patience (epochs)', min: 1, max: 1000, step: 1 },
  { key: 'seed', label: 'Seed', min: 0, max: 2_147_483_647, step: 1 },
];

/** Numbers that only the softmax reads. */
const SOFTMAX_SETTINGS: readonly Setting[] = [
  { key: 'temperature', label: 'Temperature', min: 0.05, max: 10, step: 0.01 },
  { key: 'secondTemperature', label: 'Second temperature', min: 0.1, max: 2, step: 0.1 },
  { key: 'logQCorrection', label: 'Log-q correction', min: 0, max: 2, step: 0.1 },
  { key: 'negatives', label: 'Shared negatives', min: 1, max: 65_536, step: 128 },
];

export interface SettingValues {
  /** Empty where the default is to hold, as an empty number is. */
  loss: LossFunction | '';
  numbers: Record<string, string | number>;
}

/** What the form offers for a loss. */
export function settingsFor(loss: SettingValues['loss']): readonly Setting[] {
  return loss === 'BPR' ? SETTINGS : [...SETTINGS, ...SOFTMAX_SETTINGS];
}

/** The settings that were filled in; an empty field lets the data decide. */
export function hyperparametersOf({ loss, numbers }: SettingValues): HyperparametersInput {
  const filled = settingsFor(loss).filter(({ key }) => numbers[key] !== undefined && numbers[key] !== '');
  const values = Object.fromEntries(filled.map(({ key }) => [key, Number(numbers[key])]));
  return loss === '' ? values : { loss, ...values };
}
