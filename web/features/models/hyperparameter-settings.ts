import type { HyperparametersInput } from '../../src/generated/graphql.ts';

export interface Setting {
  key: keyof HyperparametersInput;
  label: string;
  placeholder: string;
  min: number;
  max: number;
  step: number;
}

/** The settings that a model may differ in, with the bounds of the API. */
export const SETTINGS: readonly Setting[] = [
  { key: 'dimension', label: 'Embedding dimension', placeholder: 'default', min: 4, max: 512, step: 16 },
  { key: 'layers', label: 'Propagation layers', placeholder: 'default', min: 0, max: 8, step: 1 },
  { key: 'learningRate', label: 'Learning rate', placeholder: 'default', min: 0, max: 1, step: 0.001 },
  { key: 'regularization', label: 'Regularisation', placeholder: 'default', min: 0, max: 1, step: 0.0001 },
  { key: 'batchSize', label: 'Batch size', placeholder: 'default', min: 1, max: 65_536, step: 512 },
  { key: 'epochs', label: 'Epochs at most', placeholder: 'default', min: 1, max: 1000, step: 10 },
  { key: 'patience', label: 'Patience (epochs)', placeholder: 'default', min: 1, max: 1000, step: 1 },
  { key: 'seed', label: 'Seed', placeholder: 'default', min: 0, max: 2_147_483_647, step: 1 },
];

/** The settings that were filled in; an empty field leaves the default. */
export function hyperparametersOf(values: Record<string, string | number>): HyperparametersInput {
  const filled = SETTINGS.filter(({ key }) => values[key] !== undefined && values[key] !== '');
  return Object.fromEntries(filled.map(({ key }) => [key, Number(values[key])]));
}
