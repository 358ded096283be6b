import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createCheckerboard, matrixOf } from '../../golden/checkerboard.ts';
import { BACKEND_KINDS } from '../../src/lightgcn/choose-backend.ts';
import { buildGraph } from '../../src/lightgcn/graph.ts';
import { loadLightGcnAddon } from '../../src/lightgcn/native-addon.ts';
import { writeForChildren } from '../data/data-sets.ts';
import { runInChild } from '../in-child.ts';
import { rowsInOrder } from './ceilings.ts';
import { listConfigurations } from './configurations.ts';
import type { StepResult } from './measure-steps.ts';

const { addon } = loadLightGcnAddon();
const childModule = fileURLToPath(import.meta.resolve('./measure-steps.ts'));

test('rows come in the order in which propagation reads them: nodes by degree, neighbours by their new rows', () => {
  // Degrees: users 1, 2, 1; items 1, 3. New rows: user 1 is 0, user 0 is 1, user 2 is 2; item 1 is 3, item 0 is 4.
  const graph = buildGraph(
    matrixOf(3, 2, [
      [0, 1],
      [1, 0],
      [1, 1],
      [2, 1],
    ]),
  );
  expect([...rowsInOrder(graph)]).toEqual([3, 4, 3, 3, 0, 1, 2, 0]);
});

test('every back-end of core has a row, the reference first, and native one for each thread count', () => {
  const labels = listConfigurations({ backends: undefined, threads: [1, 2], everyInstructionSet: false });
  expect(labels[0]?.label).toBe('reference');
  expect(new Set(labels.map(({ options }) => options.backend))).toEqual(new Set(BACKEND_KINDS));
  expect(labels.map(({ label }) => label)).toEqual(expect.arrayContaining(['native, 1 thread', 'native, 2 threads']));
  const wish = { backends: ['abacus'], threads: [1], everyInstructionSet: false };
  expect(() => listConfigurations(wish)).toThrow('got abacus');
});

test('a child process measures a step and the memory of a training', async () => {
  const { train } = createCheckerboard(16);
  using file = writeForChildren({ train, validation: matrixOf(16, 16, []) });
  const hyperparameters = { dimension: 8, layers: 1, learningRate: 0.01, regularization: 0, batchSize: 32 };
  const task = {
    label: 'reference',
    options: { backend: 'reference' },
    dataPath: file.path,
    hyperparameters: { ...hyperparameters, epochs: 1, patience: 1, seed: 1 },
  };
  const result = (await runInChild(childModule, task)) as StepResult;
  expect(result.bestStepMs).toBeGreaterThan(0);
  expect(result.medianStepMs).toBeGreaterThanOrEqual(result.bestStepMs);
  expect(result.peakMB).toBeGreaterThan(0);
  expect(result.rounds).toBeGreaterThan(1);
});

test('a failure in a child process is the failure of its task', async () => {
  const task = { label: '', options: {}, dataPath: '/nowhere/data', hyperparameters: {} };
  await expect(runInChild(childModule, task)).rejects.toThrow('ENOENT');
});

describe.runIf(addon)('the bandwidth ceilings', () => {
  const measure = (rowCount: number, stride: number, rows: Int32Array) =>
    addon?.measureRowBandwidth(rowCount, stride, rows, 2);

  test.each([16, 48, 64, 80])('are found for rows of %i floats', (stride) => {
    const rows = Int32Array.from({ length: 20_000 }, (_, at) => (at * 7) % 100);
    expect(measure(100, stride, rows)).toBeGreaterThan(1e6);
    expect(addon?.measureStreamBandwidth(1e5, 2)).toBeGreaterThan(1e6);
  });

  test('rows outside the table, none at all and a stride of no whole vectors are refused', () => {
    expect(() => measure(3, 16, Int32Array.of(0, 3))).toThrow('rows[1] is 3');
    expect(() => measure(3, 16, new Int32Array(0))).toThrow('rows must have');
    expect(() => measure(3, 20, Int32Array.of(0))).toThrow('multiple of 16');
    expect(() => addon?.measureStreamBandwidth(0, 1)).toThrow('floatCount');
  });
});
