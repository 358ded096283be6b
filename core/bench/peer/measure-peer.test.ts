import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { createCheckerboard, matrixOf } from '../../golden/checkerboard.ts';
import { measurePeer } from './measure-peer.ts';

const folder = mkdtempSync(join(tmpdir(), 'peer-test-'));

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test('without Python the peer is left out, and why is said', async () => {
  vi.stubEnv('PATH', folder);
  vi.stubEnv('XDG_CACHE_HOME', folder);
  const data = { name: 'checkerboard', protocol: '', train: createCheckerboard(8).train };
  const result = await measurePeer({ ...data, validation: matrixOf(8, 8, []), test: null }, { seed: 1, quality: null });
  expect(result).toEqual({ unavailable: expect.stringContaining('python3') });
});
