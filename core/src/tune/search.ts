import { setImmediate } from 'node:timers/promises';
import { nextUint32, seedRandom } from '../random.ts';
import { checkSpace, createPlaces, type PointOf, pointAt, type SearchSpace } from './search-space.ts';
import { checkRule, isHopeless, type StoppingRule } from './stopping-rule.ts';

/** What one trial is given. */
export interface TrialContext {
  /** From 0. */
  readonly trial: number;
  /** Drawn from the search's seed; the same trial of the same search always has the same. */
  readonly seed: number;
  /** Aborted when the search is cancelled or out of time: for objectives whose steps take long. */
  readonly signal: AbortSignal;
}

/**
 * What is searched: for a point it yields one value after each step of work (an epoch), higher is better, measured on
 * validation data and never on the test. The search takes no further step of a trial that it ends, and calls `return` on
 * what it iterates, so that `finally` can release memory.
 */
export type Objective<Point> = (point: Point, context: TrialContext) => AsyncIterable<number> | Iterable<number>;

/**
 * `done`: all steps. `stopped`: by the rule. `interrupted`: no time left, or cancelled. `failed`: threw an error that
 * `isTrialFailure` accepts, or yielded what is not a finite number, or nothing.
 */
export type TrialStatus = 'done' | 'stopped' | 'interrupted' | 'failed';

/** One row of the result table. */
export interface TrialResult<Point> {
  readonly trial: number;
  readonly point: Point;
  readonly seed: number;
  readonly status: TrialStatus;
  /** The value of each step. */
  readonly curve: readonly number[];
  /** The best value and its step from 1; null when there is none, or the trial failed. */
  readonly best: { readonly value: number; readonly step: number } | null;
  readonly seconds: number;
  /** Why it failed. */
  readonly failure: string | null;
}

export type SearchEvent<Point> =
  | { readonly kind: 'started'; readonly trial: number; readonly point: Point }
  | { readonly kind: 'stepped'; readonly trial: number; readonly step: number; readonly value: number }
  | { readonly kind: 'ended'; readonly result: TrialResult<Point>; readonly isBest: boolean };

export interface SearchOptions<Space extends SearchSpace> {
  readonly space: Space;
  readonly objective: Objective<PointOf<Space>>;
  /** Ends at whichever is reached first. The running trial is ended after the step in which the time runs out. */
  readonly budget: { readonly trials: number; readonly seconds: number };
  readonly seed: number;
  /** Points to try first: the defaults. They count as trials. */
  readonly first?: readonly PointOf<Space>[];
  /** `sobol` where absent. */
  readonly sampler?: 'sobol' | 'random';
  /** `none` where absent. */
  readonly stoppingRule?: StoppingRule;
  /** Which errors condemn the point (a diverged training) and not the search; none where absent. */
  readonly isTrialFailure?: (error: unknown) => boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: SearchEvent<PointOf<Space>>) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

export interface SearchResult<Point> {
  /** The trial with the highest value, the earlier of equals; null when none has a value. */
  readonly best: TrialResult<Point> | null;
  /** Every trial in order. */
  readonly trials: readonly TrialResult<Point>[];
  readonly endedBy: 'trials' | 'seconds' | 'cancelled';
  readonly seconds: number;
}

/**
 * Looks for the point of the space with the highest value of the objective, one trial at a time. The points and seeds of
 * the trials depend on the seed alone, and so does the result as long as the seconds do not end it. Cancelling gives the
 * result so far.
 * @throws SearchSpaceError; RangeError for a budget or rule outside its range; what the objective throws, unless it is a
 * failure of the trial.
 */
export async function searchParameters<Space extends SearchSpace>(
  options: SearchOptions<Space>,
): Promise<SearchResult<PointOf<Space>>> {
  const { space, budget, seed, first = [], onEvent } = options;
  checkSpace(space);
  checkRule(options.stoppingRule ?? { kind: 'none' });
  if (!(Number.isInteger(budget.trials) && budget.trials >= 1 && budget.seconds > 0)) {
    throw new RangeError(`Wanted at least one trial and some seconds, got ${budget.trials} and ${budget.seconds}.`);
  }
  const random = seedRandom(seed);
  const trialSeeds = seedRandom(nextUint32(random));
  const nextPlace = createPlaces(options.sampler ?? 'sobol', Object.keys(space).length, random);
  const deadline = startDeadline(options);
  const trials: TrialResult<PointOf<Space>>[] = [];
  let best: TrialResult<PointOf<Space>> | null = null;
  try {
    while (trials.length < budget.trials && !deadline.hasPassed()) {
      const trial = trials.length;
      const point = first[trial] ?? pointAt(space, nextPlace());
      const context = { trial, seed: nextUint32(trialSeeds), signal: deadline.signal };
      onEvent?.({ kind: 'started', trial, point });
      const result = await runTrial(point, context, { options, deadline, trials });
      trials.push(result);
      const isBest = result.best !== null && result.best.value > (best?.best?.value ?? Number.NEGATIVE_INFINITY);
      if (isBest) best = result;
      onEvent?.({ kind: 'ended', result, isBest });
    }
  } finally {
    deadline.close();
  }
  const interrupted = options.signal?.aborted ? 'cancelled' : 'seconds';
  const endedBy = trials.length < budget.trials || trials.at(-1)?.status === 'interrupted' ? interrupted : 'trials';
  return { best, trials, endedBy, seconds: deadline.seconds() };
}

interface Deadline {
  readonly signal: AbortSignal;
  hasPassed(): boolean;
  seconds(): number;
  close(): void;
}

function startDeadline<Space extends SearchSpace>(options: SearchOptions<Space>): Deadline {
  const { now = () => performance.now(), budget } = options;
  const started = now();
  const controller = new AbortController();
  const end = new Error(`The ${budget.seconds} seconds of the search are over.`);
  // A timer takes at most 2^31 - 1 ms; a longer budget ends between steps.
  const milliseconds = budget.seconds * 1000;
  const timer = milliseconds < 2 ** 31 ? setTimeout(() => controller.abort(end), milliseconds) : undefined;
  const signal = options.signal ? AbortSignal.any([controller.signal, options.signal]) : controller.signal;
  const seconds = () => (now() - started) / 1000;
  return {
    signal,
    seconds,
    hasPassed: () => signal.aborted || seconds() >= budget.seconds,
    close: () => clearTimeout(timer),
  };
}

async function runTrial<Space extends SearchSpace>(
  point: PointOf<Space>,
  context: TrialContext,
  search: { options: SearchOptions<Space>; deadline: Deadline; trials: readonly TrialResult<PointOf<Space>>[] },
): Promise<TrialResult<PointOf<Space>>> {
  const { options, deadline, trials } = search;
  const curve: number[] = [];
  const started = deadline.seconds();
  const end = (status: TrialStatus, failure: string | null = null): TrialResult<PointOf<Space>> => {
    const { trial, seed } = context;
    const value = Math.max(...curve);
    const best = failure !== null || curve.length === 0 ? null : { value, step: curve.indexOf(value) + 1 };
    return { trial, point, seed, status, curve, best, seconds: deadline.seconds() - started, failure };
  };
  const others = trials.filter(({ status }) => status !== 'failed').map((trial) => trial.curve);
  try {
    for await (const value of options.objective(point, context)) {
      if (!Number.isFinite(value)) return end('failed', `Step ${curve.length + 1} has the value ${value}.`);
      curve.push(value);
      options.onEvent?.({ kind: 'stepped', trial: context.trial, step: curve.length, value });
      // Objectives that compute on this thread would else keep signals and timers waiting for ever.
      await setImmediate();
      if (deadline.hasPassed()) return end('interrupted');
      if (isHopeless(options.stoppingRule ?? { kind: 'none' }, curve, others)) return end('stopped');
    }
  } catch (error) {
    if (deadline.signal.aborted && error === deadline.signal.reason) return end('interrupted');
    if (!options.isTrialFailure?.(error)) throw error;
    return end('failed', error instanceof Error ? error.message : String(error));
  }
  return curve.length === 0 ? end('failed', 'The objective gave no value.') : end('done');
}
