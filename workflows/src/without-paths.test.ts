import { expect, test } from 'vitest';
import { withoutPaths } from './without-paths.ts';

test.each([
  [
    'no native: /srv/app/core/build/lightgcn.node: cannot open shared object file',
    'no native: lightgcn.node: cannot open shared object file',
  ],
  [
    "the package webgpu does not load here (Cannot find package 'webgpu' imported from /srv/app/core/src/device.ts)",
    "the package webgpu does not load here (Cannot find package 'webgpu' imported from device.ts)",
  ],
  ['no webgpu: file:///srv/app/index.js is damaged', 'no webgpu: index.js is damaged'],
  ['the fastest that works here; no CUDA/ROCm', 'the fastest that works here; no CUDA/ROCm'],
])('"%s" keeps what it says without saying where', (text, told) => {
  expect(withoutPaths(text)).toBe(told);
});
