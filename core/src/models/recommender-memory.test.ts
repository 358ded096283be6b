import { expect, test } from 'vitest';
import { measurePeak } from '../../bench/run-bench.ts';

/** Large enough that a process's own few megabytes do not count, short to fit. */
const LARGE = { userCount: 60_000, itemCount: 30_000, interactionCount: 400_000 };
const WISHES = [
  { kind: 'popularity', ...LARGE, interactionCount: 8_000_000 },
  // Enough pairs that most items have all the neighbours that are kept: else less is needed than is set aside.
  { kind: 'item-knn', userCount: 50_000, itemCount: 20_000, interactionCount: 700_000 },
  { kind: 'spectral', ...LARGE },
  { kind: 'graph-filter', ...LARGE },
  { kind: 'content', ...LARGE },
  { kind: 'ease', userCount: 10_000, itemCount: 4000, interactionCount: 200_000 },
  {
    kind: 'ials',
    userCount: 400_000,
    itemCount: 200_000,
    interactionCount: 100_000,
    config: { epochs: 1, dimension: 32 },
  },
  { kind: 'bpr', userCount: 200_000, itemCount: 100_000, interactionCount: 300_000, config: { epochs: 1 } },
  // Several epochs: what a ranking leaves behind is collected only after the next.
  { kind: 'lightgcn', userCount: 20_000, itemCount: 40_000, interactionCount: 60_000, config: { epochs: 4 } },
];

test.each(WISHES)(
  'the peak that the factory of $kind estimates is within 20 %% of what a fit takes',
  (wish) => {
    const { ratio, measuredMB } = measurePeak('recommender-memory.ts', wish);
    expect(measuredMB).toBeGreaterThan(50);
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.2);
  },
  240_000,
);
