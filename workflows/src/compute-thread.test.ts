import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sealColumns } from '@kindred/core/columnar-file';
import { resolveHyperparameters } from '@kindred/core/lightgcn/hyperparameters';
import { createSnapshotBuilder, encodeSnapshot } from '@kindred/core/snapshot';
import { v7 } from 'uuid';
import { expect, test } from 'vitest';
import { startComputeThread } from './compute-thread.ts';
import { translateCoreError } from './core-failures.ts';
import type { NextEpochs, TrainingThreadInput } from './training-thread.ts';

async function snapshotOf(pairs: [user: string, item: string][]) {
  const builder = createSnapshotBuilder();
  builder.add(pairs.map(([userId, itemId]) => ({ userId, itemId, value: null, occurredAt: new Date(0) })));
  const folder = await mkdtempDisposable(join(tmpdir(), 'kindred-thread-'));
  const snapshotPath = join(folder.path, 'snapshot');
  await writeFile(snapshotPath, encodeSnapshot(builder.build()));
  return { snapshotPath, [Symbol.asyncDispose]: () => folder.remove() };
}

/** A user with ten items, and ten with one each. */
const [USER, ITEMS] = [v7(), Array.from({ length: 20 }, () => v7())];
const SOME_PAIRS = ITEMS.map((item, index): [string, string] => [index < 10 ? USER : v7(), item]);

type Pace = Pick<TrainingThreadInput, 'enoughEpochs' | 'keepEveryMs' | 'isSaved'>;
const EACH: Pace = { enoughEpochs: 100, keepEveryMs: 0, isSaved: true };

function startTraining(snapshotPath: string, signal: AbortSignal, pace = EACH) {
  const hyperparameters = resolveHyperparameters({ userCount: 10, itemCount: 20, interactionCount: 20 }, {});
  const input: TrainingThreadInput = { snapshotPath, checkpointPath: null, hyperparameters, ...pace };
  const file = new URL('./training-thread.ts', import.meta.url);
  return startComputeThread<NextEpochs>(file, input, signal);
}

test('what core refuses inside the thread reaches the asker with its meaning', async () => {
  await using snapshot = await snapshotOf([[v7(), v7()]]);
  await using thread = startTraining(snapshot.snapshotPath, new AbortController().signal);
  const error = translateCoreError(await thread.ask().catch((reason: unknown) => reason));
  expect(error).toMatchObject({ type: 'NotEnoughData', nonRetryable: true });
});

test('an aborted signal ends the thread in the middle of its work', async () => {
  await using snapshot = await snapshotOf(SOME_PAIRS);
  const stopping = new AbortController();
  await using thread = startTraining(snapshot.snapshotPath, stopping.signal);
  await thread.ask();
  const asked = thread.ask();
  stopping.abort(new Error('stopped on purpose'));
  await expect(asked).rejects.toThrow('stopped on purpose');
});

test.each([
  {
    what: 'epochs that are longer than the time between tellings are told and saved each',
    everyMs: 0,
    told: [[1], [2], [3]],
    saved: [1, 2, 3],
  },
  {
    what: 'shorter ones are told together, and the training is saved behind the last',
    everyMs: 60_000,
    told: [[1, 2, 3]],
    saved: [3],
  },
])('$what', async ({ everyMs, told, saved }) => {
  await using snapshot = await snapshotOf(SOME_PAIRS);
  const pace = { enoughEpochs: 3, keepEveryMs: everyMs, isSaved: true };
  await using thread = startTraining(snapshot.snapshotPath, new AbortController().signal, pace);
  const answers = await askAll(thread);
  expect(answers.map(({ epochs }) => epochs.map(({ epoch }) => epoch))).toEqual(told);
  expect(answers.map((answer) => answer.saved?.epoch)).toEqual(saved);
});

test('the training behind epochs stays whole while the next ones are computed', async () => {
  await using snapshot = await snapshotOf(SOME_PAIRS);
  await using thread = startTraining(snapshot.snapshotPath, new AbortController().signal);
  const bytesOf = async () =>
    ((await thread.ask()) as Extract<NextEpochs, { kind: 'epochs' }>).saved?.bytes ?? new Uint8Array();
  await thread.ask();
  for (let asked = 0; asked < 3; asked++) {
    const bytes = await bytesOf();
    const sha256 = sealColumns(bytes.slice());
    expect(await bytesOf()).not.toEqual(bytes);
    expect(sealColumns(bytes)).toBe(sha256);
  }
});

test('a training that is not to be saved is not', async () => {
  await using snapshot = await snapshotOf(SOME_PAIRS);
  const pace = { enoughEpochs: 3, keepEveryMs: 0, isSaved: false };
  await using thread = startTraining(snapshot.snapshotPath, new AbortController().signal, pace);
  expect((await askAll(thread)).map(({ saved }) => saved)).toEqual([null, null, null]);
});

async function askAll(thread: ReturnType<typeof startTraining>) {
  const answers: Extract<NextEpochs, { kind: 'epochs' }>[] = [];
  for (;;) {
    const next = await thread.ask();
    if (next.kind === 'finished') return answers;
    if (next.kind === 'epochs') answers.push(next);
  }
}
