// Searches hyperparameters of LightGCN on validation interactions cut from the training part; the test part is never read:
//   node core/bench/tune.ts [--data ml-100k] [--trials 20] [--seconds 300] [--epochs 40] [--rule halving] [--json FILE]
// Prints a line for each trial, of which the first has the defaults, and the best. KINDRED_DATA_DIR as in tests.
import { writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { completeHyperparameters, defaultHyperparameters } from '../src/lightgcn/hyperparameters.ts';
import { useGivenSplit } from '../src/split-given.ts';
import { isTrainingFailure, lightGcnObjective } from '../src/tune/light-gcn-objective.ts';
import { searchParameters } from '../src/tune/search.ts';
import type { PointOf } from '../src/tune/search-space.ts';
import type { StoppingRule } from '../src/tune/stopping-rule.ts';
import { readGowalla } from './data/gowalla.ts';
import { readMovieLens100k, readMovieLens1m, readMovieLensLatestSmall } from './data/movielens.ts';

const { values: options } = parseArgs({
  options: {
    data: { type: 'string', default: 'ml-100k' },
    trials: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '300' },
    epochs: { type: 'string', default: '40' },
    rule: { type: 'string', default: 'halving' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});

const READERS = {
  'ml-100k': () => readMovieLens100k(1).train,
  'ml-1m': () => readMovieLens1m(1).train,
  'ml-latest-small': () => readMovieLensLatestSmall(1).train,
  gowalla: () => readGowalla({ validation: true }).train,
};
const RULES: Record<string, StoppingRule> = {
  none: { kind: 'none' },
  median: { kind: 'median', graceSteps: 3, leastTrials: 4 },
  halving: { kind: 'halving', firstStep: 3, factor: 3 },
};
const read = READERS[options.data as keyof typeof READERS];
const stoppingRule = RULES[options.rule];
if (!read || !stoppingRule) throw new Error(`No such data or rule: ${options.data}, ${options.rule}.`);

const whole = read();
const empty = { userRows: new Int32Array(0), itemRows: new Int32Array(0) };
const test = { ...whole, ...empty, weights: new Float32Array(0), timestamps: new Float64Array(0) };
const { train, validation } = useGivenSplit({ train: whole, test, cut: { strategy: 'random', share: 0.2, seed: 1 } });
const interactionCount = train.userRows.length;
const base = { ...defaultHyperparameters({ interactionCount }), epochs: Number(options.epochs) };
const space = {
  layers: { kind: 'whole', low: 1, high: 3 },
  learningRate: { kind: 'real', low: 3e-4, high: 1e-2, scale: 'log' },
  initialDeviation: { kind: 'real', low: 0.003, high: 0.1, scale: 'log' },
  temperature: { kind: 'real', low: 0.08, high: 1, scale: 'log' },
  logQCorrection: { kind: 'real', low: 0, high: 1 },
  batchExponent: { kind: 'whole', low: 9, high: 14 },
} as const;
type Point = PointOf<typeof space>;

const trainAtPoint = lightGcnObjective({ train, validation }, { ...base, loss: 'softmax' });
const complete = completeHyperparameters({ ...base, loss: 'softmax' });
const defaults: Point = { ...complete, batchExponent: Math.log2(complete.batchSize) };
const defaultPoint = Object.fromEntries(Object.keys(space).map((name) => [name, defaults[name as keyof Point]]));
const result = await searchParameters({
  space,
  first: [defaultPoint as Point],
  objective: ({ batchExponent, ...point }: Point, context) =>
    trainAtPoint({ ...point, batchSize: Math.round(Math.min(2 ** batchExponent, interactionCount)) }, context),
  budget: { trials: Number(options.trials), seconds: Number(options.seconds) },
  seed: Number(options.seed),
  stoppingRule,
  isTrialFailure: isTrainingFailure,
  onEvent: (event) => {
    if (event.kind !== 'ended') return;
    const { trial, status, best, curve, seconds, point } = event.result;
    const value = best ? `${best.value.toFixed(4)} at ${best.step}` : 'none';
    const short = Object.entries(point).map(([name, own]) => `${name} ${Number(own.toPrecision(3))}`);
    console.log(`${trial} ${status} ${value} of ${curve.length} steps, ${seconds.toFixed(1)} s: ${short.join(', ')}`);
  },
});

const shape = { data: options.data, users: train.userCount, items: train.itemCount, interactions: interactionCount };
const machine = { processors: availableParallelism(), load: loadavg()[0] };
const steps = result.trials.reduce((sum, { curve }) => sum + curve.length, 0);
console.log(
  JSON.stringify({ shape, machine, steps, endedBy: result.endedBy, seconds: result.seconds, best: result.best }),
);
if (options.json) writeFileSync(options.json, `${JSON.stringify({ shape, machine, base, space, result }, null, 2)}\n`);
