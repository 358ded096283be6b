import { mkdtempDisposable, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mapFile } from './map-file.ts';

async function withFile(bytes: Uint8Array, work: (path: string) => Promise<void>): Promise<void> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'kindred-map-'));
  const path = join(folder.path, 'file');
  await writeFile(path, bytes);
  await work(path);
}

test('a mapped file has its bytes, and views of it', async () => {
  const numbers = Float32Array.from({ length: 5_000 }, (_, index) => index / 3);
  await withFile(new Uint8Array(numbers.buffer), async (path) => {
    const bytes = await mapFile(path);
    expect(bytes.length).toBe(20_000);
    expect(new Float32Array(bytes.buffer, bytes.byteOffset, 5_000)).toEqual(numbers);
  });
});

test('writing to what is mapped leaves the file as it is', async () => {
  await withFile(Uint8Array.of(1, 2, 3), async (path) => {
    (await mapFile(path))[0] = 9;
    expect([...(await mapFile(path))]).toEqual([1, 2, 3]);
  });
});

test('an empty file has no bytes, and a missing one is told by its path', async () => {
  await withFile(new Uint8Array(1), async (path) => {
    await truncate(path, 0);
    expect(await mapFile(path)).toHaveLength(0);
    await expect(mapFile(`${path}-missing`)).rejects.toThrow(`${path}-missing`);
  });
});
