import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDir } from '../testing/temporary-dir.ts';
import { waitUntil } from '../wait-until.ts';
import { processStart } from './process-identity.ts';
import { type Child, startChild } from './start-child.ts';

const FOREVER = 'setInterval(() => {}, 1000);';

/** A child of Node that runs `code` and has begun to. */
async function startScript(dir: string, code: string): Promise<Child> {
  const logPath = join(dir, 'log');
  const args = ['--eval', `${code}; console.log('begun ' + process.pid);`];
  const child = await startChild({ name: 'script', command: process.execPath, args, logPath });
  const hasBegun = (): Promise<boolean> => Promise.resolve(readFileSync(logPath, 'utf8').includes('begun'));
  await waitUntil(hasBegun, { what: 'the script', timeoutMs: 10_000, intervalMs: 20 });
  return child;
}

test('a child that heeds SIGTERM ends in its own way', async () => {
  await using dir = await temporaryDir();
  const child = await startScript(dir.path, `process.on('SIGTERM', () => process.exit(7)); ${FOREVER}`);
  expect(await child.stop(10_000)).toEqual({ code: 7, signal: null });
  expect(processStart(child.pid)).toBeNull();
});

test('a child that ignores SIGTERM is killed when its grace is over', async () => {
  await using dir = await temporaryDir();
  const child = await startScript(dir.path, `process.on('SIGTERM', () => {}); ${FOREVER}`);
  expect(await child.stop(200)).toEqual({ code: null, signal: 'SIGKILL' });
  expect(processStart(child.pid)).toBeNull();
});

test('what a child has started itself is ended with it', async () => {
  await using dir = await temporaryDir();
  const grandchild = `import('node:child_process').then(({ spawn }) => {
    const { pid } = spawn(process.execPath, ['--eval', ${JSON.stringify(FOREVER)}]);
    console.log('grandchild ' + pid);
  });`;
  const child = await startScript(dir.path, `${grandchild} ${FOREVER}`);
  const pidOf = (): number => Number(/grandchild (\d+)/.exec(readFileSync(child.logPath, 'utf8'))?.[1] ?? 0);
  await waitUntil(() => Promise.resolve(pidOf() > 0), { what: 'the grandchild', timeoutMs: 10_000 });
  const pid = pidOf();
  expect(processStart(pid)).not.toBeNull();
  await child.stop(10_000);
  const isGone = (): Promise<boolean> => Promise.resolve(processStart(pid) === null);
  await expect(waitUntil(isGone, { what: 'its end', timeoutMs: 5_000, intervalMs: 20 })).resolves.toBeUndefined();
});

test('a program that is not there is an error with its code', async () => {
  await using dir = await temporaryDir();
  const spec = { name: 'x', command: '/nowhere/x', args: [], logPath: join(dir.path, 'log') };
  await expect(startChild(spec)).rejects.toMatchObject({ code: 'ENOENT' });
});
