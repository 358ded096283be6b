import { describe, expect, test } from 'vitest';
import { measurePeak } from '../../bench/run-bench.ts';
import { estimateMemoryBytes, type TrainingSize } from './memory-estimate.ts';
import { loadLightGcnAddon } from './native-addon.ts';

const { addon } = loadLightGcnAddon();
const NATIVE = { backend: 'native', threads: 2, batchSize: 16_384 } as const;
const REFERENCE = { backend: 'reference', threads: 1 } as const;

const NATIVE_SIZES: readonly TrainingSize[] = [
  {
    ...NATIVE,
    userCount: 60_000,
    itemCount: 20_000,
    interactionCount: 300_000,
    dimension: 32,
    layers: 3,
    loss: 'softmax',
  },
  {
    ...NATIVE,
    userCount: 30_000,
    itemCount: 10_000,
    interactionCount: 60_000,
    dimension: 64,
    layers: 1,
    loss: 'softmax',
  },
  { ...NATIVE, userCount: 20_000, itemCount: 10_000, interactionCount: 500_000, dimension: 64, layers: 1, loss: 'bpr' },
  { ...NATIVE, userCount: 20_000, itemCount: 5000, interactionCount: 100_000, dimension: 128, layers: 2, loss: 'bpr' },
];
const REFERENCE_SIZES: readonly TrainingSize[] = [
  {
    ...REFERENCE,
    userCount: 20_000,
    itemCount: 15_000,
    interactionCount: 200_000,
    dimension: 64,
    layers: 1,
    batchSize: 100_000,
    loss: 'bpr',
  },
  {
    ...REFERENCE,
    userCount: 20_000,
    itemCount: 5000,
    interactionCount: 8000,
    dimension: 128,
    layers: 2,
    batchSize: 1024,
    loss: 'softmax',
  },
  {
    ...REFERENCE,
    userCount: 50_000,
    itemCount: 30_000,
    interactionCount: 200_000,
    dimension: 32,
    layers: 3,
    batchSize: 100_000,
    loss: 'bpr',
  },
];

describe('the memory estimate', () => {
  test.each([...(addon ? NATIVE_SIZES : []), ...REFERENCE_SIZES])(
    'is within 20 %% of what a training takes: %o',
    (size) => {
      const { ratio, measuredMB } = measurePeak('memory.ts', size);
      expect(measuredMB).toBeGreaterThan(120);
      expect(ratio).toBeGreaterThan(0.8);
      expect(ratio).toBeLessThan(1.2);
    },
    120_000,
  );

  test('grows with every size', () => {
    const size = { ...NATIVE, userCount: 671, itemCount: 9066, interactionCount: 80_000, dimension: 64, layers: 1 };
    const base = estimateMemoryBytes(size);
    for (const name of ['userCount', 'itemCount', 'interactionCount', 'dimension'] as const) {
      expect(estimateMemoryBytes({ ...size, [name]: size[name] * 2 }), name).toBeGreaterThan(base);
    }
    expect(estimateMemoryBytes({ ...size, layers: 3 })).toBeGreaterThan(base);
    const softmax = { ...size, loss: 'softmax', batchSize: 1024 } as const;
    expect(estimateMemoryBytes(softmax)).toBeGreaterThan(base);
    expect(estimateMemoryBytes({ ...softmax, batchSize: 4096 })).toBeGreaterThan(estimateMemoryBytes(softmax));
    expect(estimateMemoryBytes({ ...softmax, threads: 8 })).toBeGreaterThan(estimateMemoryBytes(softmax));
  });
});
