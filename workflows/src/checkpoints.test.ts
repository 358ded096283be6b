import { mkdtempDisposable, readdir, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { newId } from '@kindred/domain/ids';
import { openObjectStore } from '@kindred/service/object-store';
import { expect, test } from 'vitest';
import { findUsableCheckpoint, storeCheckpoint } from './checkpoints.ts';

async function openStore() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'kindred-checkpoints-'));
  const objects = openObjectStore({ url: pathToFileURL(folder.path).href });
  const run = { tenantId: newId('Tenant'), runId: newId('TrainingRun') };
  const store = (epoch: number) =>
    storeCheckpoint(objects, run, { epoch, bytes: Buffer.from(`state after ${epoch}`.padEnd(64)) });
  const pathOf = (key: string) => join(folder.path, key);
  return { objects, store, pathOf, [Symbol.asyncDispose]: () => folder.remove() };
}

test('the newest checkpoint is gone on from', async () => {
  await using store = await openStore();
  const [first, second] = [await store.store(1), await store.store(2)];
  const found = await findUsableCheckpoint(store.objects, [second, first]);
  expect(found).toEqual({ checkpoint: second, path: store.pathOf(second.key) });
});

test.each([
  ['torn', (path: string) => truncate(path, 3)],
  ['overwritten', (path: string) => writeFile(path, 'state after 3')],
])('a checkpoint that is %s is passed over for the one before it', async (_, damage) => {
  await using store = await openStore();
  const [first, second] = [await store.store(1), await store.store(2)];
  await damage(store.pathOf(second.key));
  expect((await findUsableCheckpoint(store.objects, [second, first]))?.checkpoint).toEqual(first);
});

test('without an undamaged checkpoint the training begins anew', async () => {
  await using store = await openStore();
  const only = await store.store(1);
  await store.objects.delete(only.key);
  expect(await findUsableCheckpoint(store.objects, [only])).toBeNull();
  expect(await findUsableCheckpoint(store.objects, [])).toBeNull();
});

test('the same state stored by two attempts is one file, another state another', async () => {
  await using store = await openStore();
  const [first, again, other] = [await store.store(1), await store.store(1), await store.store(2)];
  expect(again).toEqual(first);
  expect(other.key).not.toBe(first.key);
  expect(await readdir(join(store.pathOf(first.key), '..'))).toHaveLength(2);
});
