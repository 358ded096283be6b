/** LightGCN run configuration. The first eight fields have the shape of the domain type of the same name. */
export interface Hyperparameters {
  /** Length of every vector. */
  readonly dimension: number;
  /** Propagation layers K; 0 is plain matrix factorisation. */
  readonly layers: number;
  readonly learningRate: number;
  /** The paper's lambda: weight of the squared length of the sampled ego vectors. */
  readonly regularization: number;
  /** Interactions per Adam step. */
  readonly batchSize: number;
  /** The most epochs to train. */
  readonly epochs: number;
  /** Epochs without a better validation NDCG after which training stops. */
  readonly patience: number;
  readonly seed: number;
  /**
   * `bpr`: one sampled negative for each interaction, as in the paper. `softmax`: all items of the batch that the user
   * does not have there are negatives, compared by cosine (Wu et al. 2022, arXiv:2201.02327). Default `bpr`.
   */
  readonly loss?: LossName;
  /** The layers whose mean is the final vector, distinct, in [0, layers]; default all of them, as in the paper. */
  readonly outputLayers?: readonly number[];
  /** Standard deviation of the initial ego vectors. With Adam it and the learning rate are one setting. Default 0.1. */
  readonly initialDeviation?: number;
  /** `softmax`: what cosines are divided by. Default 0.12. */
  readonly temperature?: number;
  /** `softmax`: weight of the negatives' part, the exponent of their sum (the second temperature of BSL, arXiv:2312.12882). Default 1. */
  readonly secondTemperature?: number;
  /**
   * `softmax`: how much of the logarithm of an item's share of the interactions is taken off its logit as a negative
   * (Yi et al. 2019, RecSys, section 4): 1 makes up for popular items being negatives more often, 0, the default, lets it be.
   */
  readonly logQCorrection?: number;
  /** `softmax`: interactions that share their negatives, at most `batchSize`, the default. */
  readonly negatives?: number;
  /** `softmax`: factor by which `negatives` grows from epoch to epoch. Default 1. */
  readonly negativesGrowth?: number;
  /**
   * Interactions of one user that stay together in the epoch's random order. More make a softmax step cheaper, since
   * they share its negatives' scores, and its gradient rougher. Default 1.
   */
  readonly userGroup?: number;
  /**
   * Finished item vectors get their own length to this power, directions staying. A cosine loss teaches lengths only by
   * the way; 0 would rank by cosine, 1, the default, takes them as they are.
   */
  readonly lengthExponent?: number;
}

export type LossName = 'bpr' | 'softmax';

/** Hyperparameters with every default filled in. */
export type CompleteHyperparameters = Required<Hyperparameters>;

/** A hyperparameter is outside what the model can work with; the message names it, its value and the range. */
export class HyperparameterError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'HyperparameterError';
  }
}

interface Range {
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
}

const REQUIRED_RANGES: Record<string, Range> = {
  dimension: { least: 1, most: 4096, whole: true },
  layers: { least: 0, most: 16, whole: true },
  learningRate: { least: Number.MIN_VALUE, most: 1, whole: false },
  regularization: { least: 0, most: 1, whole: false },
  batchSize: { least: 1, most: 2 ** 24, whole: true },
  epochs: { least: 1, most: 100_000, whole: true },
  patience: { least: 1, most: 100_000, whole: true },
  seed: { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true },
};

/** Below a temperature of 0.05 exponentials of float32 could all vanish. */
const OPTIONAL_RANGES: Record<string, Range> = {
  initialDeviation: { least: 1e-6, most: 10, whole: false },
  temperature: { least: 0.05, most: 100, whole: false },
  secondTemperature: { least: 0.01, most: 10, whole: false },
  logQCorrection: { least: 0, most: 2, whole: false },
  negatives: { least: 1, most: 2 ** 24, whole: true },
  negativesGrowth: { least: 1, most: 100, whole: false },
  userGroup: { least: 1, most: 2 ** 24, whole: true },
  lengthExponent: { least: 0, most: 4, whole: false },
};

/** @throws HyperparameterError for the first value outside its range. */
export function checkHyperparameters(hyperparameters: Hyperparameters): Hyperparameters {
  const values: Record<string, unknown> = { ...hyperparameters };
  for (const [name, range] of Object.entries(REQUIRED_RANGES)) checkRange(name, values[name], range);
  for (const [name, range] of Object.entries(OPTIONAL_RANGES)) {
    if (values[name] !== undefined) checkRange(name, values[name], range);
  }
  const { loss, outputLayers, layers } = hyperparameters;
  if (loss !== undefined && loss !== 'bpr' && loss !== 'softmax') {
    throw new HyperparameterError(`loss must be bpr or softmax, got ${String(loss)}.`);
  }
  if (outputLayers !== undefined) {
    const areLayers = outputLayers.every((layer) => Number.isInteger(layer) && layer >= 0 && layer <= layers);
    if (!areLayers || outputLayers.length === 0 || new Set(outputLayers).size < outputLayers.length) {
      const got = `[${outputLayers.join(', ')}]`;
      throw new HyperparameterError(`outputLayers must be distinct whole numbers in [0, ${layers}], got ${got}.`);
    }
  }
  return hyperparameters;
}

function checkRange(name: string, value: unknown, { least, most, whole }: Range): void {
  if (typeof value !== 'number' || !(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
    const kind = whole ? 'a whole number' : 'a number';
    throw new HyperparameterError(`${name} must be ${kind} in [${least}, ${most}], got ${String(value)}.`);
  }
}

/** Checked hyperparameters with every default filled in. @throws HyperparameterError */
export function completeHyperparameters(hyperparameters: Hyperparameters): CompleteHyperparameters {
  const { layers, batchSize } = checkHyperparameters(hyperparameters);
  return {
    loss: 'bpr',
    outputLayers: Array.from({ length: layers + 1 }, (_, layer) => layer),
    initialDeviation: 0.1,
    temperature: 0.12,
    secondTemperature: 1,
    logQCorrection: 0,
    negatives: batchSize,
    negativesGrowth: 1,
    userGroup: 1,
    lengthExponent: 1,
    ...hyperparameters,
  };
}

/** Below this share of all user-item pairs, and from this many interactions on, data count as large and sparse. */
const SPARSE_DENSITY = 0.002;
const LARGE_COUNT = 300_000;

/** What a person says of a training; the rest follows the data. */
export type HyperparameterSettings = Partial<Omit<Hyperparameters, 'outputLayers'>>;

const SOFTMAX_ALONE = ['temperature', 'secondTemperature', 'logQCorrection', 'negatives', 'negativesGrowth'] as const;

/** Everything that a training trains with, all layers being output layers; what `softmax` alone reads is absent for `bpr`. */
export type ResolvedHyperparameters = Omit<CompleteHyperparameters, 'outputLayers' | (typeof SOFTMAX_ALONE)[number]> &
  Pick<Hyperparameters, (typeof SOFTMAX_ALONE)[number]>;

/**
 * `settings`, and for the rest the defaults for the loss that they name and for data of this size.
 * @throws HyperparameterError
 */
export function resolveHyperparameters(
  size: { interactionCount: number; userCount: number; itemCount: number },
  settings: HyperparameterSettings,
): ResolvedHyperparameters {
  const defaults = defaultHyperparameters(size, settings.loss);
  const { outputLayers: _, ...complete } = completeHyperparameters({ ...defaults, ...settings });
  const resolved: Partial<Record<keyof Hyperparameters, unknown>> & ResolvedHyperparameters = complete;
  if (complete.loss !== 'softmax') for (const name of SOFTMAX_ALONE) delete resolved[name];
  return resolved;
}

/**
 * Defaults for a loss and data of this size. Large, sparse data: large batches, and few negatives that grow to five times as
 * many, cheaper than as many from the start. Their temperature, the part of the log-q correction and the power of lengths were
 * chosen on three validation parts of gowalla's training data, a random one and both ends of the users' lists, for what
 * ranks better on all of them (docs/adr/0006): a random part alone favours unpopular items more than what follows does. The
 * others, and the one recipe of `bpr`, were chosen on validation parts of MovieLens ml-latest-small (temporal and random
 * split per user), where popular items crowd the batches so that the log-q correction decides. Without `userCount` and
 * `itemCount` the number of interactions decides. Small data get batches that keep an epoch at about 20 Adam steps, between
 * 64 and 8,192.
 */
export function defaultHyperparameters(
  size: { interactionCount: number; userCount?: number; itemCount?: number },
  loss: LossName = 'softmax',
): Hyperparameters {
  const { interactionCount, userCount = 0, itemCount = 0 } = size;
  const batchExponent = Math.round(Math.log2(Math.max(1, interactionCount) / 20));
  const batchSize = Math.min(8192, Math.max(64, 2 ** batchExponent));
  if (loss === 'bpr') return { ...BPR_DEFAULTS, batchSize };
  const density = userCount * itemCount > 0 ? interactionCount / (userCount * itemCount) : 0;
  if (interactionCount >= LARGE_COUNT && density < SPARSE_DENSITY) {
    return {
      ...SHARED_DEFAULTS,
      layers: 1,
      learningRate: 1.5e-3,
      regularization: 0,
      batchSize: 16_384,
      epochs: 30,
      patience: 5,
      initialDeviation: 0.012,
      temperature: 0.11,
      secondTemperature: 1,
      logQCorrection: 0.4,
      negatives: 256,
      negativesGrowth: 1.06,
      lengthExponent: 0.6,
    };
  }
  return {
    ...SHARED_DEFAULTS,
    layers: 1,
    learningRate: 0.01,
    regularization: 1e-3,
    batchSize,
    epochs: 50,
    patience: 8,
    temperature: 0.15,
    logQCorrection: 1,
    userGroup: 1000,
    lengthExponent: 0.85,
  };
}

const SHARED_DEFAULTS = { dimension: 64, seed: 1, loss: 'softmax' } as const;

const BPR_DEFAULTS = {
  dimension: 64,
  seed: 1,
  loss: 'bpr',
  layers: 2,
  learningRate: 0.01,
  regularization: 1e-3,
  epochs: 50,
  patience: 8,
} as const;
