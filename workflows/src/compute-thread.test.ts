import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveHyperparameters } from '@kindred/core/lightgcn/hyperparameters';
import { createSnapshotBuilder, encodeSnapshot } from '@kindred/core/snapshot';
import { v7 } from 'uuid';
import { expect, test } from 'vitest';
import { startComputeThread } from './compute-thread.ts';
import { translateCoreError } from './core-failures.ts';
import type { NextEpoch, TrainingThreadInput } from './training-thread.ts';

async function snapshotOf(pairs: [user: string, item: string][]) {
  const builder = createSnapshotBuilder();
  builder.add(pairs.map(([userId, itemId]) => ({ userId, itemId, value: null, occurredAt: new Date(0) })));
  const folder = await mkdtempDisposable(join(tmpdir(), 'kindred-thread-'));
  const snapshotPath = join(folder.path, 'snapshot');
  await writeFile(snapshotPath, encodeSnapshot(builder.build()));
  return { snapshotPath, [Symbol.asyncDispose]: () => folder.remove() };
}

function startTraining(snapshotPath: string, signal: AbortSignal) {
  const hyperparameters = resolveHyperparameters({ userCount: 10, itemCount: 20, interactionCount: 20 }, {});
  const input: TrainingThreadInput = { snapshotPath, checkpointPath: null, hyperparameters, isStopping: false };
  const file = new URL('./training-thread.ts', import.meta.url);
  return startComputeThread<NextEpoch>(file, input, signal);
}

test('what core refuses inside the thread reaches the asker with its meaning', async () => {
  await using snapshot = await snapshotOf([[v7(), v7()]]);
  await using thread = startTraining(snapshot.snapshotPath, new AbortController().signal);
  const error = translateCoreError(await thread.ask().catch((reason: unknown) => reason));
  expect(error).toMatchObject({ type: 'NotEnoughData', nonRetryable: true });
});

test('an aborted signal ends the thread in the middle of its work', async () => {
  const [user, items] = [v7(), Array.from({ length: 20 }, () => v7())];
  await using snapshot = await snapshotOf(items.map((item, index) => [index < 10 ? user : v7(), item]));
  const stopping = new AbortController();
  await using thread = startTraining(snapshot.snapshotPath, stopping.signal);
  await thread.ask();
  const asked = thread.ask();
  stopping.abort(new Error('stopped on purpose'));
  await expect(asked).rejects.toThrow('stopped on purpose');
});
