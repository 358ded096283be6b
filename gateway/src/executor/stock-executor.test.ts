import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const COUNT_LOADED = `
  import { createRequire } from 'node:module';
  await import(process.argv[1]);
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  const count = (name) => loaded.filter((file) => file.includes('/node_modules/@apollo/' + name + '/')).length;
  console.log(JSON.stringify({ gateway: count('gateway'), internals: count('federation-internals') }));
`;

test('a gateway that runs no operation in the stock executor does not hold its package', () => {
  const gateway = new URL('../gateway.ts', import.meta.url).href;
  const args = ['--input-type=module', '--eval', COUNT_LOADED, gateway];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  const loaded = JSON.parse(stdout) as { gateway: number; internals: number };
  expect(loaded.internals).toBeGreaterThan(10);
  expect(loaded.gateway).toBe(0);
});
