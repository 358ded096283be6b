import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Without a compiler, or one without the run-time libraries of its sanitizers, there is nothing to run. */
const hasSanitizers = ['libasan.so', 'libubsan.so'].every((library) =>
  spawnSync('g++', [`-print-file-name=${library}`], { encoding: 'utf8' }).stdout?.startsWith('/'),
);

test.runIf(hasSanitizers)(
  'the reader of requests and the addon are clean of memory bugs, leaks and undefined behaviour',
  () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'sanitize.mjs')], {
      encoding: 'utf8',
    });
    expect(status, `${stdout}${stderr}`).toBe(0);
    const clean = stdout.split('\n').filter((line) => line.includes(': clean, '));
    expect(clean.map((line) => line.split(':')[0])).toEqual(['request', 'suites on the sanitized addon']);
  },
  300_000,
);
