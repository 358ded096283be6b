import { deduplicateInteractions, type InteractionMatrix } from '../interaction-matrix.ts';
import {
  type DataSize,
  type FitOptions,
  ModelTooLargeError,
  type Recommender,
  type RecommenderFactory,
  type RecommenderKind,
} from '../recommender.ts';
import { splitPerUser, type SplitStrategy } from '../split.ts';
import { bpr } from './bpr.ts';
import { chooseAlgebra } from './choose-algebra.ts';
import { ease } from './ease.ts';
import { chebyshevConfig, graphFilter } from './graph-filter.ts';
import { ials } from './ials.ts';
import { itemKnn } from './item-knn.ts';
import { lightGcn } from './lightgcn-recommender.ts';
import { measureRanking } from './measure-ranking.ts';
import { popularity } from './popularity-model.ts';
import { spectral } from './spectral.ts';

/** A model with its configuration, ready to fit. */
export interface Candidate {
  readonly kind: RecommenderKind;
  readonly config: unknown;
  readonly fit: (train: InteractionMatrix, options: FitOptions) => Promise<Recommender>;
}

/** Binds a configuration, so that candidates of all kinds stand in one list. */
export function candidateOf<Config>(factory: RecommenderFactory<Config>, config: Config): Candidate {
  return { kind: factory.kind, config, fit: (train, options) => factory.fit(train, config, options) };
}

export interface ChooseOptions {
  /** Wall time for everything, the last fit on all data included, milliseconds. */
  readonly budgetMs: number;
  readonly seed: number;
  /** How the validation part is held out; `random` where absent. */
  readonly strategy?: SplitStrategy;
  /** Those of `defaultCandidates` where absent; tried in this order. */
  readonly candidates?: readonly Candidate[];
  /** Only models whose users and items are vectors, which an index can serve. */
  readonly vectorsOnly?: boolean;
  readonly memoryLimitBytes?: number;
  readonly signal?: AbortSignal;
  readonly onTrial?: (trial: Trial) => void;
}

/** One candidate: measured, or left out and why. */
export interface Trial {
  readonly kind: RecommenderKind;
  readonly config: unknown;
  /** NDCG@10 on the validation part; null where it was left out. */
  readonly ndcg: number | null;
  readonly seconds: number;
  readonly leftOut: 'too large' | 'no time' | 'no vectors' | null;
}

export interface Choice {
  /** Fitted on all of the data. */
  readonly recommender: Recommender;
  readonly kind: RecommenderKind;
  readonly config: unknown;
  readonly trials: readonly Trial[];
}

const VALIDATION_SHARE = 0.15;
const CUTOFF = 10;

/** More users than this tell candidates apart no better. */
const MOST_USERS = 3000;

/** Of the budget, for trials: the winner is then fitted once more, on all of the data. */
const TRIAL_SHARE = 0.75;

/** Items up to which EASE takes about a second; beyond, cheaper models go first. */
const QUICK_SQUARE = 4000;

/** Candidates for data of this size, cheap and dependable ones first. */
function defaultCandidates(size: DataSize): Candidate[] {
  const flat = spectral.defaultConfig(size);
  const linear = graphFilter.defaultConfig(size);
  const penalty = ease.defaultConfig(size);
  const factors = ials.defaultConfig(size);
  const widths = [flat.dimension, Math.ceil(flat.dimension / 2), flat.dimension * 2].filter(
    (dimension) => dimension <= Math.min(size.userCount, size.itemCount),
  );
  const squares = [1, 2, 0.5, 4].map((factor) => {
    return candidateOf(ease, { ...penalty, regularization: penalty.regularization * factor });
  });
  const isSmall = size.itemCount <= QUICK_SQUARE;
  return [
    candidateOf(popularity, {}),
    candidateOf(spectral, flat),
    ...(isSmall ? squares : []),
    candidateOf(graphFilter, chebyshevConfig(size)),
    candidateOf(graphFilter, linear),
    ...widths.slice(1).map((dimension) => candidateOf(spectral, { ...flat, dimension })),
    ...[1, 2, 0.5].map((factor) => candidateOf(ials, { ...factors, unobserved: factors.unobserved * factor })),
    candidateOf(itemKnn, itemKnn.defaultConfig(size)),
    ...(isSmall ? [] : squares.slice(0, 2)),
    candidateOf(bpr, bpr.defaultConfig(size)),
    candidateOf(lightGcn, lightGcn.defaultConfig(size)),
  ];
}

/**
 * Fits the candidates on part of `train`, measures NDCG@10 on the rest, and fits the best once more on all of it.
 * Candidates that the budget does not reach are left out, visibly; the first that fits is always measured. Which are
 * reached depends on the machine; everything else on data and seed alone.
 * @throws InteractionDataError; RangeError when no candidate could be fitted; the reason of `signal`.
 */
export async function chooseModel(train: InteractionMatrix, options: ChooseOptions): Promise<Choice> {
  const started = performance.now();
  const distinct = deduplicateInteractions(train);
  const split = splitPerUser(distinct, {
    strategy: options.strategy ?? 'random',
    validationShare: VALIDATION_SHARE,
    testShare: 0,
    seed: options.seed,
  });
  const size = {
    userCount: train.userCount,
    itemCount: train.itemCount,
    interactionCount: split.train.userRows.length,
  };
  const trials: Trial[] = [];
  let best: { candidate: Candidate; ndcg: number; seconds: number } | null = null;
  for (const candidate of options.candidates ?? defaultCandidates(size)) {
    const left = options.budgetMs * TRIAL_SHARE - (performance.now() - started) - 1000 * (best?.seconds ?? 0);
    const trial = await tryCandidate(candidate, split, { ...options, left: best ? left : Number.POSITIVE_INFINITY });
    trials.push(trial);
    options.onTrial?.(trial);
    if (trial.ndcg !== null && (best === null || trial.ndcg > best.ndcg)) {
      best = { candidate, ndcg: trial.ndcg, seconds: trial.seconds };
    }
  }
  if (!best) throw new RangeError(`None of ${trials.length} candidates could be fitted.`);
  const { kind, config } = best.candidate;
  const recommender = await best.candidate.fit(distinct, options.signal ? { signal: options.signal } : {});
  return { recommender, kind, config, trials };
}

async function tryCandidate(
  { kind, config, fit }: Candidate,
  { train, validation }: { train: InteractionMatrix; validation: InteractionMatrix },
  options: ChooseOptions & { left: number },
): Promise<Trial> {
  const started = performance.now();
  const finish = (ndcg: number | null, leftOut: Trial['leftOut']): Trial => {
    return { kind, config, ndcg, seconds: (performance.now() - started) / 1000, leftOut };
  };
  if (options.left <= 0) return finish(null, 'no time');
  const deadline = Number.isFinite(options.left) ? AbortSignal.timeout(Math.ceil(options.left)) : null;
  const signal = AbortSignal.any([options.signal, deadline].filter((given) => given !== undefined && given !== null));
  const algebra = chooseAlgebra();
  try {
    const limit = options.memoryLimitBytes === undefined ? {} : { memoryLimitBytes: options.memoryLimitBytes };
    const recommender = await fit(train, { signal, algebra, validation, ...limit });
    if (options.vectorsOnly && !recommender.vectors) return finish(null, 'no vectors');
    const userRows = sampleUsers(train.userCount);
    const { ndcg } = await measureRanking(recommender, train, validation, {
      cutoff: CUTOFF,
      userRows,
      signal,
      algebra,
    });
    return finish(ndcg, null);
  } catch (error) {
    if (error instanceof ModelTooLargeError) return finish(null, 'too large');
    if (deadline?.aborted && !options.signal?.aborted) return finish(null, 'no time');
    throw error;
  }
}

/** Evenly spread rows, all of them where there are few. */
function sampleUsers(userCount: number): Int32Array {
  const count = Math.min(userCount, MOST_USERS);
  return Int32Array.from({ length: count }, (_, index) => Math.floor((index * userCount) / count));
}
