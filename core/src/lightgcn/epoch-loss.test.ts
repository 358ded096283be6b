import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createEpochLoss } from './epoch-loss.ts';

test('losses that come later, out of order, add up to the bits of those that come at once', async () => {
  const losses = Array.from({ length: 20 }, (_, step) => 1 / (step + 3));
  const atOnce = createEpochLoss(() => '');
  const later = createEpochLoss(() => '');
  losses.forEach((loss, step) => {
    atOnce.add(loss, step);
    later.add(
      setTimeout(20 - step).then(() => loss),
      step,
    );
  });
  expect(await later.sum()).toBe(await atOnce.sum());
});

test('a loss that is not finite is told with its own step, at once or when it comes', async () => {
  let step = 7;
  const losses = createEpochLoss(() => `step ${step}`);
  const diverged = { name: 'TrainingDivergedError', message: expect.stringContaining('NaN at step 7') };
  expect(() => losses.add(Number.NaN, 1)).toThrow(expect.objectContaining(diverged));
  losses.add(Promise.resolve(Number.NaN), 1);
  step = 8;
  losses.add(Promise.resolve(1), 1);
  await expect(losses.sum()).rejects.toMatchObject(diverged);
});

test('a failure that comes before its turn ends the sum and is no unhandled rejection', async () => {
  const losses = createEpochLoss(() => '');
  losses.add(setTimeout(20, 1), 1);
  losses.add(Promise.reject(new Error('The device is lost.')), 1);
  await setTimeout(1);
  await expect(losses.sum()).rejects.toThrow('The device is lost.');
});

test('steps run ahead of their losses by a bounded number', async () => {
  const losses = createEpochLoss(() => '');
  let steps = 0;
  for (; !losses.isAhead(); steps++) losses.add(Promise.resolve(1), 1);
  expect(steps).toBe(33);
  await losses.settle();
  expect(losses.isAhead()).toBe(false);
  expect(await losses.sum()).toBe(33);
});
