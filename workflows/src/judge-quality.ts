import type { QualityCheck, QualityGate } from '@kindred/domain/training';
import type { Comparison, Evaluation } from './activities/evaluate-model.ts';

/**
 * Lists of ten could show at most this many different items; a version that shows fewer than this share of them has
 * collapsed to the same few for everybody.
 */
const COVERAGE_FLOOR = 0.01;

/** The share of the exact top 20 that the index must find. */
const INDEX_RECALL_FLOOR = 0.9;

/**
 * Whether a version may answer: it is no worse than the version that answers now and than its best baseline, as far as the
 * measured users can tell, shows enough of the catalogue, and finds what exact search would.
 */
export function judgeQuality(
  { metrics, comparisons = [], reach = 1 }: Evaluation,
  { recallAt20 }: { recallAt20: number },
): QualityGate {
  const active = comparisons.find(({ rival }) => rival === 'ACTIVE_VERSION');
  const best = comparisons
    .filter(({ rival }) => rival !== 'ACTIVE_VERSION')
    .reduce<Comparison | null>((a, b) => (a === null || b.ndcgAt10 > a.ndcgAt10 ? b : a), null);
  const coverageFloor = COVERAGE_FLOOR * reach;
  const { coverageAt10 } = metrics;
  const checks: QualityCheck[] = [
    ...(active ? [compare('ACTIVE_VERSION', active)] : []),
    ...(best ? [compare('BEST_BASELINE', best)] : []),
    {
      name: 'COVERAGE',
      passed: coverageAt10 >= coverageFloor,
      message: `Recommends ${percent(coverageAt10)} of the catalogue to somebody; at least ${percent(coverageFloor)} is wanted.`,
      value: coverageAt10,
      floor: coverageFloor,
      interval: null,
    },
    {
      name: 'INDEX_RECALL',
      passed: recallAt20 >= INDEX_RECALL_FLOOR,
      message: `The index finds ${percent(recallAt20)} of the exact top 20; at least ${percent(INDEX_RECALL_FLOOR)} is wanted.`,
      value: recallAt20,
      floor: INDEX_RECALL_FLOOR,
      interval: null,
    },
  ];
  return { passed: checks.every(({ passed }) => passed), checks };
}

/** Worse only where even the upper end of the interval of the difference is below zero. */
function compare(
  name: 'ACTIVE_VERSION' | 'BEST_BASELINE',
  { label, ndcgAt10, difference: { mean, low, high } }: Comparison,
): QualityCheck {
  const passed = high >= 0;
  const verdict = passed ? (low > 0 ? 'better than' : 'no worse than') : 'worse than';
  const figures = `NDCG@10 differs by ${signed(mean)}, 95 % interval ${signed(low)} to ${signed(high)}`;
  const message = `Is ${verdict} ${label}, which scores ${ndcgAt10.toFixed(4)}: ${figures}.`;
  return { name, passed, message, value: mean, floor: 0, interval: { low, high } };
}

function percent(share: number): string {
  return `${(share * 100).toLocaleString('en', { maximumSignificantDigits: 3 })} %`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
}
