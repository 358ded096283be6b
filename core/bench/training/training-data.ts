import type { InteractionMatrix } from '../../src/interaction-matrix.ts';
import { useGivenSplit } from '../../src/split-given.ts';
import { readDataSet } from '../data/data-sets.ts';

/** What a training is measured on. */
export interface TrainingData {
  readonly name: string;
  readonly protocol: string;
  readonly train: InteractionMatrix;
  /** What ends the training; empty where it then runs through all epochs. */
  readonly validation: InteractionMatrix;
  /** Not read unless its quality is asked for. */
  readonly test: InteractionMatrix | null;
}

/** A part that a quality is measured on. */
export type HeldOutPart = 'valid' | 'test';

/** The part of `data` of that name. @throws RangeError when there is none. */
export function heldOutPart(data: TrainingData, part: HeldOutPart): InteractionMatrix {
  const matrix = part === 'test' ? data.test : data.validation;
  if (matrix && matrix.userRows.length > 0) return matrix;
  const other = data.name.startsWith('gowalla') ? '; gowalla has test, the other gowallas have valid' : '';
  throw new RangeError(`Wanted the part ${part} of ${data.name}, which has none${other}.`);
}

/**
 * gowalla, which has no validation part, with all of train and with test; the other gowallas with theirs; of other data a tenth of
 * train for validation, drawn by seed 1.
 */
export function readTrainingData(name: string): TrainingData {
  const { train, test, protocol } = readDataSet(name, 1);
  const none = { ...train, userRows: new Int32Array(0), itemRows: new Int32Array(0) };
  const empty = { ...none, weights: new Float32Array(0), timestamps: new Float64Array(0) };
  if (name === 'gowalla') return { name, protocol: `${protocol}, all epochs`, train, validation: empty, test };
  if (name.startsWith('gowalla-')) return { name, protocol, train, validation: test, test: null };
  const parts = useGivenSplit({ train, test, cut: { strategy: 'random', share: 0.1, seed: 1 } });
  return { name, protocol: `${protocol}, a tenth of train for validation`, ...parts };
}
