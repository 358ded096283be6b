import { expect, test } from 'vitest';
import type { Comparison, Evaluation } from './activities/evaluate-model.ts';
import { judgeQuality } from './judge-quality.ts';

const METRICS = { ndcgAt10: 0.07, recallAt10: 0.1, hitRateAt10: 0.3, coverageAt10: 0.05 };
const INDEX = { recallAt20: 0.99 };

function comparison(
  rival: Comparison['rival'],
  ndcgAt10: number,
  [low, mean, high]: [number, number, number],
): Comparison {
  return { rival, label: rival.toLowerCase(), ndcgAt10, difference: { low, mean, high } };
}

interface Seen {
  metrics?: Partial<Evaluation['metrics']>;
  index?: typeof INDEX;
  reach?: number;
}

function judge(comparisons: Comparison[], { metrics = {}, index = INDEX, reach = 1 }: Seen = {}) {
  return judgeQuality({ metrics: { ...METRICS, ...metrics }, baselines: [], comparisons, reach }, index);
}

const failed = (gate: ReturnType<typeof judgeQuality>) =>
  gate.checks.filter(({ passed }) => !passed).map(({ name }) => name);

test('a version that is better, or worse by less than the users can tell, passes', () => {
  const gate = judge([
    comparison('ACTIVE_VERSION', 0.071, [-0.004, -0.001, 0.002]),
    comparison('SPECTRAL', 0.06, [0.005, 0.01, 0.015]),
    comparison('POPULARITY', 0.05, [0.01, 0.02, 0.03]),
  ]);
  expect(gate.passed).toBe(true);
  expect(gate.checks.map(({ message }) => message)).toEqual([
    'Is no worse than active_version, which scores 0.0710: NDCG@10 differs by −0.0010, 95 % interval −0.0040 to +0.0020.',
    'Is better than spectral, which scores 0.0600: NDCG@10 differs by +0.0100, 95 % interval +0.0050 to +0.0150.',
    'Recommends 5 % of the catalogue to somebody; at least 1 % is wanted.',
    'The index finds 99 % of the exact top 20; at least 90 % is wanted.',
  ]);
});

test('one that is worse than the version that answers is kept back, however good its baselines make it look', () => {
  const gate = judge([
    comparison('ACTIVE_VERSION', 0.09, [-0.03, -0.02, -0.01]),
    comparison('SPECTRAL', 0.06, [0.005, 0.01, 0.015]),
  ]);
  expect(gate.passed).toBe(false);
  expect(failed(gate)).toEqual(['ACTIVE_VERSION']);
});

test('the best of the baselines counts', () => {
  const gate = judge([
    comparison('POPULARITY', 0.05, [0.01, 0.02, 0.03]),
    comparison('SPECTRAL', 0.09, [-0.03, -0.02, -0.01]),
  ]);
  expect(failed(gate)).toEqual(['BEST_BASELINE']);
});

test('coverage and index recall have floors', () => {
  expect(failed(judge([], { metrics: { coverageAt10: 0.009 } }))).toEqual(['COVERAGE']);
  expect(failed(judge([], { index: { recallAt20: 0.89 } }))).toEqual(['INDEX_RECALL']);
});

test('few users in a large catalogue are not asked to show what their lists cannot hold', () => {
  expect(failed(judge([], { metrics: { coverageAt10: 0.001 }, reach: 0.002 }))).toEqual([]);
});
