import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const BENCH = join(import.meta.dirname, '../../bench/leaks.ts');

/** Most bytes that a fit may leave behind: below a page, above what the allocator and V8 take to settle. */
const BOUND = 1024;

function bytesPerFit(wish: { kind: string; fits: number; keptBytes?: number }): number {
  const flags = ['--expose-gc', '--max-semi-space-size=1'];
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, BENCH, JSON.stringify(wish)], {
    encoding: 'utf8',
    // Threads of the pool would each take an arena of their own, at their own time.
    env: { ...process.env, MALLOC_ARENA_MAX: '1' },
  });
  expect(status, stderr).toBe(0);
  return (JSON.parse(stdout) as { bytesPerFit: number }).bytesPerFit;
}

describe('memory after many fits in one process', () => {
  test('a thousand fits of LightGCN leave nothing behind', () => {
    expect(bytesPerFit({ kind: 'lightgcn', fits: 1000 })).toBeLessThan(BOUND);
  }, 120_000);

  test.each(['spectral', 'graph-filter', 'ease', 'ials', 'bpr', 'content'])(
    'hundreds of fits of %s leave nothing behind',
    (kind) => {
      expect(bytesPerFit({ kind, fits: 400 })).toBeLessThan(BOUND);
    },
    120_000,
  );

  test('a fit that kept 4 KB would show', () => {
    expect(bytesPerFit({ kind: 'lightgcn', fits: 400, keptBytes: 4096 })).toBeGreaterThan(3 * BOUND);
  }, 120_000);
});
