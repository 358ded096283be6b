import { mkdtempDisposable, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildExactIndex, openExactIndex } from './exact-index.ts';
import { mapFile } from './map-file.ts';
import { createVectors, DIMENSION } from './vector-index-suite.ts';

test('gives the bytes of a file, none of an empty one', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-map-'));
  const [full, empty] = [join(folder.path, 'full'), join(folder.path, 'empty')];
  await writeFile(full, 'some bytes');
  await writeFile(empty, '');
  expect(Buffer.from(await mapFile(full)).toString()).toBe('some bytes');
  expect(await mapFile(empty)).toHaveLength(0);
});

test('what is written to the bytes stays in this process', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-map-'));
  const path = join(folder.path, 'file');
  await writeFile(path, 'some bytes');
  (await mapFile(path)).fill(0);
  expect(Buffer.from(await mapFile(path)).toString()).toBe('some bytes');
});

test('a missing file and a folder are rejections with their path', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-map-'));
  await expect(mapFile(join(folder.path, 'missing'))).rejects.toThrow('missing');
  await expect(mapFile(folder.path)).rejects.toThrow(folder.path);
});

test('an open index goes on when another file takes the name of its own', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-map-'));
  const [path, next] = [join(folder.path, 'items.index'), join(folder.path, 'next')];
  const vectors = createVectors(5000, 1);
  const query = createVectors(1, 2);
  const first = await buildExactIndex(vectors, DIMENSION);
  await first.write(path);
  const opened = await openExactIndex(path);
  await (await buildExactIndex(createVectors(10, 3), DIMENSION)).write(next);
  await rename(next, path);
  expect(await opened.search(query, 20)).toEqual(await first.search(query, 20));
  expect((await openExactIndex(path)).size).toBe(10);
});
