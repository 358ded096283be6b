import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const BOOTSTRAP = fileURLToPath(new URL('./bootstrap.mjs', import.meta.url));

function run(...args: string[]) {
  return spawnSync(process.execPath, [BOOTSTRAP, ...args], { encoding: 'utf8', timeout: 20_000 });
}

test('the options of npm start are shown before anything is installed or built', () => {
  const { status, stdout, stderr } = run('start', '--help');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('--data DIR');
});

test('an unknown command is refused in one line', () => {
  const { status, stderr } = run('begin');
  expect([status, stderr.trim()]).toEqual([1, 'kindred: Wanted "start" or "test", got "begin".']);
});
