import { decodeColumns, encodeColumns, FileFormatError, type Column, type ColumnFile } from './columnar-file.ts';
import {
  checkInteractions,
  InteractionDataError,
  type InteractionMatrix,
  type ItemLists,
} from './interaction-matrix.ts';
import type { LinearAlgebra } from './models/linear-algebra.ts';

export type RecommenderKind =
  | 'popularity'
  | 'item-knn'
  | 'spectral'
  | 'graph-filter'
  | 'ease'
  | 'ials'
  | 'bpr'
  | 'lightgcn'
  | 'content';

/** Vectors whose inner product is the score: what a maximum-inner-product index serves. */
export interface RecommenderVectors {
  readonly dimension: number;
  /** `[userCount, dimension]` and `[itemCount, dimension]`, float32, row by row. */
  readonly users: Float32Array;
  readonly items: Float32Array;
}

/** How a score comes about: it is `remainder` plus the amounts, within float32 rounding. */
export interface Explanation {
  /** What each item of the history adds, largest first, equal amounts by row. */
  readonly contributions: readonly { readonly itemRow: number; readonly amount: number }[];
  /** What no item of the history accounts for: the item's popularity, for one. */
  readonly remainder: number;
}

/** A fitted model. Scores only have an order; those of two models cannot be compared. */
export interface Recommender {
  readonly kind: RecommenderKind;
  readonly userCount: number;
  readonly itemCount: number;
  /** Null for a model that has scores only. */
  readonly vectors: RecommenderVectors | null;
  /** Scores of users of the training data, `[userRows.length, itemCount]` float32. @throws RangeError for a row outside. */
  scoreUsers(userRows: Int32Array): Promise<Float32Array>;
  /**
   * Fold-in: scores of users whom the model has not seen, from the rows of their items, `[histories, itemCount]`.
   * An empty history gets the scores that the model has for nobody in particular: popularity, or all zero.
   * @throws RangeError for a row outside.
   */
  scoreHistories(histories: ItemLists): Promise<Float32Array>;
  /** Fold-in as vectors, `[histories, dimension]`; null where `vectors` is. @throws RangeError for a row outside. */
  foldIn(histories: ItemLists): Promise<Float32Array> | null;
  /** The score that `scoreHistories` gives `itemRow`, taken apart. @throws RangeError for a row outside. */
  explain(history: Int32Array, itemRow: number): Promise<Explanation>;
  /** The model as one file with a sha256; equal models give equal bytes. */
  save(): Uint8Array<ArrayBuffer>;
}

/** The size of training data, as far as memory depends on it; interactions are distinct pairs. */
export interface DataSize {
  readonly userCount: number;
  readonly itemCount: number;
  readonly interactionCount: number;
}

/** Bytes of typed arrays: of the fitted model, and at the most while fitting, the model and a copy of the pairs included. */
export interface MemoryEstimate {
  readonly modelBytes: number;
  readonly peakBytes: number;
}

export interface FitProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  /** Mean loss of the epoch just done, for models that have one. */
  readonly loss?: number;
  /** NDCG@10 on the validation interactions, where the model looks at them. */
  readonly validationNdcg?: number;
}

export interface FitOptions {
  /** Called between steps; what it throws ends the fit. */
  readonly onProgress?: (progress: FitProgress) => void;
  /** Ends the fit between two steps with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Held-out interactions for early stopping; models without epochs do not look at them. */
  readonly validation?: InteractionMatrix;
  /** Refuses before fitting what is estimated to need more. */
  readonly memoryLimitBytes?: number;
  readonly algebra?: LinearAlgebra;
}

/** One kind of model. `fit` depends on the data, the configuration and its seed alone. */
export interface RecommenderFactory<Config> {
  readonly kind: RecommenderKind;
  /** The publication that the model follows. */
  readonly source: string;
  defaultConfig(size: DataSize): Config;
  estimateMemory(size: DataSize, config: Config): MemoryEstimate;
  /** @throws InteractionDataError; ModelTooLargeError; ModelConfigError; the reason of `signal`. */
  fit(train: InteractionMatrix, config: Config, options?: FitOptions): Promise<Recommender>;
  /** @throws RecommenderFileError when the bytes are damaged or of another kind of model. */
  load(bytes: Uint8Array, options?: { algebra?: LinearAlgebra }): Recommender;
}

/** A model would need more memory or items than allowed; nothing was allocated. */
export class ModelTooLargeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ModelTooLargeError';
  }
}

/** A value of a configuration is outside its range; the message names it, its value and the range. */
export class ModelConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ModelConfigError';
  }
}

/** The bytes are not an undamaged model of the wanted kind; see `reason`. */
export class RecommenderFileError extends FileFormatError {}

/**
 * Checks what every model wants of its data before fitting.
 * @throws InteractionDataError (EMPTY without interactions); ModelTooLargeError; the reason of `signal`.
 */
export function checkFit<Config>(
  factory: Pick<RecommenderFactory<Config>, 'kind' | 'estimateMemory'>,
  train: InteractionMatrix,
  config: Config,
  options: FitOptions,
): void {
  options.signal?.throwIfAborted();
  checkInteractions(train);
  const { userCount, itemCount } = train;
  const interactionCount = train.userRows.length;
  if (interactionCount === 0) {
    throw new InteractionDataError('EMPTY', `${factory.kind} wants at least one interaction, got 0.`);
  }
  const { peakBytes } = factory.estimateMemory({ userCount, itemCount, interactionCount }, config);
  const limit = options.memoryLimitBytes ?? Number.POSITIVE_INFINITY;
  if (peakBytes > limit) {
    const needs = `${factory.kind} on ${userCount} users x ${itemCount} items needs about ${peakBytes} bytes`;
    throw new ModelTooLargeError(`${needs}, more than the ${limit} allowed.`);
  }
}

/** @throws ModelConfigError for the first value outside its range `[least, most]` (whole numbers where `whole`). */
export function checkConfig(
  values: Readonly<Record<string, number>>,
  ranges: Readonly<Record<string, { least: number; most: number; whole?: boolean }>>,
): void {
  for (const [name, { least, most, whole = false }] of Object.entries(ranges)) {
    const value = values[name] ?? Number.NaN;
    if (!(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
      const kind = whole ? 'a whole number' : 'a number';
      throw new ModelConfigError(`${name} must be ${kind} in [${least}, ${most}], got ${value}.`);
    }
  }
}

/** Reports one step and ends the fit where asked to. @throws the reason of `signal`. */
export function reportProgress(options: FitOptions, progress: FitProgress): void {
  options.onProgress?.(progress);
  options.signal?.throwIfAborted();
}

const FORMAT = { magic: 'KNDRECM1', error: RecommenderFileError };

export function saveRecommender(
  model: { kind: RecommenderKind; userCount: number; itemCount: number },
  meta: Record<string, unknown>,
  columns: Record<string, Column>,
): Uint8Array<ArrayBuffer> {
  const { kind, userCount, itemCount } = model;
  return encodeColumns(FORMAT, { ...meta, kind, userCount, itemCount }, columns);
}

/** @throws RecommenderFileError */
export function openRecommender(bytes: Uint8Array, kind: RecommenderKind): ColumnFile {
  const file = decodeColumns(FORMAT, bytes);
  if (file.meta.kind !== kind) {
    throw new RecommenderFileError('WRONG_FORMAT', `Wanted a ${kind} model, got ${String(file.meta.kind)}.`);
  }
  return file;
}

/** The kind of a saved model. @throws RecommenderFileError */
export function recommenderKindOf(bytes: Uint8Array): string {
  return String(decodeColumns(FORMAT, bytes).meta.kind);
}
