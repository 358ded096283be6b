import { describe, expect, test } from 'vitest';
import { runBench } from '../../bench/run-bench.ts';

/**
 * Most bytes that a fit may leave behind: above what V8 takes to settle, 300 and on a busy machine 1,100. As the first 2.4 MB
 * of a leak can hide in what the allocator has freed and kept, a leak of 8 KB a fit is sure to show.
 */
const BOUND = 2048;

function bytesPerFit(kind: string, keptBytes = 0): number {
  const wish = { kind, keptBytes, fits: 1000 };
  const { bytesPerFit: left } = runBench('leaks.ts', wish, ['--max-semi-space-size=1']) as { bytesPerFit: number };
  return left;
}

describe('memory after a thousand fits in one process', () => {
  test.each(['lightgcn', 'spectral', 'graph-filter', 'ease', 'ials', 'bpr', 'content'])(
    'fits of %s leave nothing behind',
    (kind) => {
      // What V8 sets aside in one process comes on top; a leak is in every one.
      const measured = [bytesPerFit(kind)];
      while (Math.min(...measured) >= BOUND && measured.length < 3) measured.push(bytesPerFit(kind));
      expect(Math.min(...measured)).toBeLessThan(BOUND);
    },
    240_000,
  );

  test('fits that kept 8 KB would show', () => {
    expect(bytesPerFit('lightgcn', 8192)).toBeGreaterThan(BOUND);
  }, 120_000);
});
