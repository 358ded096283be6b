import { describe, expect, test } from 'vitest';
import { createCheckerboard, matrixOf } from '../../golden/checkerboard.ts';
import { isTrainingFailure, lightGcnObjective } from './light-gcn-objective.ts';
import { type SearchEvent, type SearchOptions, searchParameters } from './search.ts';
import type { PointOf } from './search-space.ts';

const SPACE = { x: { kind: 'real', low: -2, high: 3 }, y: { kind: 'real', low: -2, high: 3 } } as const;
type Space = typeof SPACE;
type Point = PointOf<Space>;

const height = ({ x, y }: Point) => -((x - 1) ** 2) - (y + 0.5) ** 2;

/** A training that comes closer to its height with every step. */
function* climb(point: Point, steps = 16) {
  for (let step = 1; step <= steps; step++) yield height(point) - 4 / step;
}

const search = (options: Partial<SearchOptions<Space>> = {}) =>
  searchParameters({
    space: SPACE,
    objective: (point) => climb(point),
    budget: { trials: 64, seconds: 60 },
    seed: 1,
    ...options,
  });

const stepsOf = (trials: readonly { curve: readonly number[] }[]) =>
  trials.reduce((sum, { curve }) => sum + curve.length, 0);

describe('the search', () => {
  test.each(['sobol', 'random'] as const)('comes near the top of a hill by %s places', async (sampler) => {
    const { best, trials, endedBy } = await search({ sampler });
    expect(trials).toHaveLength(64);
    expect(endedBy).toBe('trials');
    expect(best?.status).toBe('done');
    expect(Math.hypot((best?.point.x ?? 9) - 1, (best?.point.y ?? 9) + 0.5)).toBeLessThan(0.5);
    expect(best?.best).toEqual({ value: Math.max(...trials.flatMap(({ curve }) => curve)), step: 16 });
  });

  test('finds the same with the same seed and other points with another', async () => {
    const strip = ({ trials }: Awaited<ReturnType<typeof search>>) => trials.map((trial) => ({ ...trial, seconds: 0 }));
    const [first, second, other] = [await search(), await search(), await search({ seed: 2 })];
    expect(strip(first)).toEqual(strip(second));
    expect(strip(first)).not.toEqual(strip(other));
    expect(new Set(first.trials.map(({ seed }) => seed)).size).toBe(64);
  });

  test('tries the given points first', async () => {
    const { best, trials } = await search({ first: [{ x: 1, y: -0.5 }], budget: { trials: 5, seconds: 60 } });
    expect(trials).toHaveLength(5);
    expect(best).toMatchObject({ trial: 0, point: { x: 1, y: -0.5 } });
  });

  test.each([
    { kind: 'median', graceSteps: 2, leastTrials: 4 },
    { kind: 'halving', firstStep: 1, factor: 4 },
  ] as const)('saves half of the steps by the $kind rule and finds the same best', async (stoppingRule) => {
    const [full, short] = [await search(), await search({ stoppingRule })];
    expect(stepsOf(short.trials)).toBeLessThan(0.6 * stepsOf(full.trials));
    expect(short.best?.point).toEqual(full.best?.point);
    expect(short.trials.some(({ status }) => status === 'stopped')).toBe(true);
  });

  test('halving lets a quarter of those that come to a rung pass it in the long run', async () => {
    const { trials } = await search({ stoppingRule: { kind: 'halving', firstStep: 1, factor: 4 } });
    const reached = (step: number) => trials.filter(({ curve }) => curve.length >= step).length;
    expect(reached(1)).toBe(64);
    expect(reached(2)).toBeGreaterThanOrEqual(16);
    expect(reached(2)).toBeLessThan(32);
    expect(reached(5)).toBeLessThan(reached(2));
  });

  test('releases what an ended trial holds', async () => {
    const held = new Set<number>();
    const objective = function* hold(point: Point, { trial }: { trial: number }) {
      held.add(trial);
      try {
        yield* climb(point);
      } finally {
        held.delete(trial);
      }
    };
    await search({ objective, stoppingRule: { kind: 'halving', firstStep: 1, factor: 2 } });
    expect(held.size).toBe(0);
  });

  test('ends when its seconds are over, and the running trial counts', async () => {
    let clock = 0;
    const objective = function* slow(point: Point) {
      for (const value of climb(point)) {
        clock += 1000;
        yield value;
      }
    };
    const result = await search({ objective, budget: { trials: 64, seconds: 40 }, now: () => clock });
    expect(result).toMatchObject({ endedBy: 'seconds', seconds: 40 });
    expect(result.trials.map(({ status, curve }) => [status, curve.length])).toEqual([
      ['done', 16],
      ['done', 16],
      ['interrupted', 8],
    ]);
  });

  test('gives the result so far when it is cancelled, also amid a step', async () => {
    const controller = new AbortController();
    const objective = async function* wait(point: Point, { trial, signal }: { trial: number; signal: AbortSignal }) {
      yield height(point);
      if (trial < 2) return;
      controller.abort(new Error('enough'));
      await new Promise((_, reject) => {
        if (signal.aborted) reject(signal.reason);
      });
    };
    const { endedBy, trials, best } = await search({ objective, signal: controller.signal });
    expect(endedBy).toBe('cancelled');
    expect(trials.map(({ status }) => status)).toEqual(['done', 'done', 'interrupted']);
    expect(best).not.toBeNull();
  });

  test('an objective that never waits can still be cancelled by a timer', async () => {
    const controller = new AbortController();
    const objective = function* endless(point: Point) {
      for (;;) yield height(point);
    };
    setTimeout(() => controller.abort(), 20);
    expect(await search({ objective, signal: controller.signal })).toMatchObject({ endedBy: 'cancelled' });
  });

  test('a failed trial is a row of the table and never the best', async () => {
    const objective = function* fail(point: Point, { trial }: { trial: number }) {
      yield 1000;
      if (trial === 0) yield Number.NaN;
      if (trial === 1) throw new RangeError('diverged');
      if (trial > 2) yield* climb(point);
    };
    const quiet = function* quiet(point: Point, context: { trial: number }) {
      for (const value of objective(point, context)) if (context.trial !== 2 && value !== 1000) yield value;
    };
    const isTrialFailure = (error: unknown) => error instanceof RangeError;
    const { trials, best } = await search({ objective: quiet, isTrialFailure, budget: { trials: 5, seconds: 60 } });
    expect(trials.map(({ failure }) => failure)).toEqual([
      'Step 1 has the value NaN.',
      'diverged',
      'The objective gave no value.',
      null,
      null,
    ]);
    expect(best?.trial).toBeGreaterThan(2);
  });

  test('an error that is no failure of the trial ends the search', async () => {
    // oxlint-disable-next-line require-yield
    const objective = function* broken(): Generator<number> {
      throw new TypeError('a bug');
    };
    await expect(search({ objective, isTrialFailure: isTrainingFailure })).rejects.toThrow('a bug');
  });

  test('tells of every trial and step as it happens', async () => {
    const events: SearchEvent<Point>[] = [];
    const { trials, best } = await search({
      onEvent: (event) => events.push(event),
      budget: { trials: 9, seconds: 60 },
    });
    expect(events.filter(({ kind }) => kind === 'stepped')).toHaveLength(9 * 16);
    const ended = events.flatMap((event) => (event.kind === 'ended' ? [event] : []));
    expect(ended.map(({ result }) => result)).toEqual(trials);
    expect(ended.findLast(({ isBest }) => isBest)?.result).toBe(best);
  });

  test('refuses budgets and rules outside their range', async () => {
    await expect(search({ budget: { trials: 0, seconds: 1 } })).rejects.toThrow(RangeError);
    await expect(search({ budget: { trials: 1, seconds: Number.NaN } })).rejects.toThrow(RangeError);
    const stoppingRule = { kind: 'halving', firstStep: 1, factor: 1 } as const;
    await expect(search({ stoppingRule })).rejects.toThrow('No such stopping rule');
  });
});

test('a search over real trainings finds a learning rate that learns', async () => {
  const { train, withheld } = createCheckerboard(16);
  const validation = matrixOf(
    16,
    16,
    withheld.map((item, user) => [user, item]),
  );
  const base = {
    dimension: 8,
    layers: 2,
    learningRate: 0.01,
    regularization: 1e-4,
    batchSize: 32,
    epochs: 12,
    patience: 12,
    seed: 1,
  };
  const space = { learningRate: { kind: 'real', low: 1e-7, high: 0.1, scale: 'log' } } as const;
  const { best, trials } = await searchParameters({
    space,
    objective: lightGcnObjective<PointOf<typeof space>>({ train, validation }, base, { backend: 'reference' }),
    budget: { trials: 8, seconds: 60 },
    seed: 3,
    stoppingRule: { kind: 'median', graceSteps: 3, leastTrials: 3 },
    isTrialFailure: isTrainingFailure,
  });
  expect(best?.best?.value).toBeGreaterThan(0.9);
  expect(best?.point.learningRate).toBeGreaterThan(1e-4);
  expect(new Set(trials.map(({ status }) => status))).toContain('stopped');
});
