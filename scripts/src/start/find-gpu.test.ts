import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findGpu } from './find-gpu.ts';

const never = new AbortController().signal;

/** What the start makes of a look that ends like this. */
async function findBy(source: string, timeoutMs = 20_000) {
  const folder = await mkdtemp(join(tmpdir(), 'kindred-gpu-'));
  const script = join(folder, 'look.mjs');
  await writeFile(script, source);
  try {
    return await findGpu(never, { script, timeoutMs });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('on a machine without a GPU the reason is the one that a training would give', async ({ skip }) => {
  if (['/dev/dri', '/dev/nvidiactl', '/dev/dxg'].some((path) => existsSync(path))) skip('there may be a GPU here');
  expect(await findGpu(never)).toEqual({
    gpuName: null,
    reason: 'no hardware adapter (none of /dev/dri, /dev/nvidiactl, /dev/dxg is there)',
  });
});

test('a GPU that is there is named', async () => {
  expect(await findBy(`console.log('a driver talks'); console.log(JSON.stringify({ gpuName: 'A card' }));`)).toEqual({
    gpuName: 'A card',
  });
});

test('a driver that breaks, or hangs, is no GPU and holds up nothing', async () => {
  expect(await findBy('process.abort()')).toMatchObject({
    gpuName: null,
    reason: expect.stringContaining('looking for one failed'),
  });
  expect(await findBy('setInterval(() => {}, 1_000)', 300)).toEqual({
    gpuName: null,
    reason: 'looking for one failed: it did not end in its time',
  });
});
