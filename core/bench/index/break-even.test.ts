import { expect, test } from 'vitest';
import { findBreakEven } from './break-even.ts';
import type { EngineRow } from './measure-engine.ts';

const row = (engine: string, size: number, cpuMs: number): EngineRow => ({
  engine,
  size,
  cpuMs,
  settings: '',
  buildSeconds: 0,
  buildCpuSeconds: 0,
  memoryMB: 0,
  recallAt20: 1,
  p50Ms: cpuMs,
  p95Ms: cpuMs,
  p99Ms: cpuMs,
  queriesPerSecond: { 1: 0, 2: 0, 32: 0 },
  batchedPerSecond: null,
  loopDelayP99Ms: 0,
  batchedLoopDelayP99Ms: null,
});

test('lies between the sizes where the faster engine changes, nearer to the smaller difference', () => {
  const rows = [row('exact', 1e5, 1), row('lists', 1e5, 10), row('exact', 1e7, 100), row('lists', 1e7, 10)];
  expect(findBreakEven(rows, 'exact', 'lists')).toBeCloseTo(1e6, -1);
});

test('is null where one engine is always the faster, or only one was measured', () => {
  expect(findBreakEven([row('exact', 1e5, 1), row('lists', 1e5, 2)], 'exact', 'lists')).toBeNull();
  expect(findBreakEven([row('exact', 1e5, 1), row('exact', 1e6, 9)], 'exact', 'lists')).toBeNull();
});
