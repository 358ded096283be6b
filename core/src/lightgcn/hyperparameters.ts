/** LightGCN run configuration; the shape of the domain type of the same name. */
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
}

/** A hyperparameter is outside what the model can work with; the message names it, its value and the range. */
export class HyperparameterError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'HyperparameterError';
  }
}

const RANGES: Record<keyof Hyperparameters, { least: number; most: number; whole: boolean }> = {
  dimension: { least: 1, most: 4096, whole: true },
  layers: { least: 0, most: 16, whole: true },
  learningRate: { least: Number.MIN_VALUE, most: 1, whole: false },
  regularization: { least: 0, most: 1, whole: false },
  batchSize: { least: 1, most: 2 ** 24, whole: true },
  epochs: { least: 1, most: 100_000, whole: true },
  patience: { least: 1, most: 100_000, whole: true },
  seed: { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true },
};

/** @throws HyperparameterError for the first value outside its range. */
export function checkHyperparameters(hyperparameters: Hyperparameters): Hyperparameters {
  for (const [name, { least, most, whole }] of Object.entries(RANGES)) {
    const value = hyperparameters[name as keyof Hyperparameters];
    if (!(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
      const kind = whole ? 'a whole number' : 'a number';
      throw new HyperparameterError(`${name} must be ${kind} in [${least}, ${most}], got ${value}.`);
    }
  }
  return hyperparameters;
}

/**
 * Defaults for data of this size. Layers, learning rate and regularisation were chosen on the validation part alone of
 * MovieLens ml-latest-small (temporal and random split per user); the batch keeps an epoch at about 20 Adam steps there, between
 * 64 and 8,192 interactions.
 */
export function defaultHyperparameters(size: { interactionCount: number }): Hyperparameters {
  const batchExponent = Math.round(Math.log2(Math.max(1, size.interactionCount) / 20));
  return {
    dimension: 64,
    layers: 2,
    learningRate: 0.01,
    regularization: 1e-3,
    batchSize: Math.min(8192, Math.max(64, 2 ** batchExponent)),
    epochs: 50,
    patience: 8,
    seed: 1,
  };
}
