import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryDir } from '../testing/temporary-dir.ts';
import { waitUntil } from '../wait-until.ts';
import { processStart } from './process-identity.ts';
import { openProcessRegistry } from './process-registry.ts';

const SILENT = { address: 'http://localhost:4000', onLeftovers: () => undefined };

const SUPERVISOR = `
  const { openProcessRegistry } = await import(${JSON.stringify(fileURLToPath(new URL('./process-registry.ts', import.meta.url)))});
  const { startChild } = await import(${JSON.stringify(fileURLToPath(new URL('./start-child.ts', import.meta.url)))});
  const registry = await openProcessRegistry(process.argv[1], { address: 'there', onLeftovers() {} });
  const args = ['--eval', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"];
  const child = await startChild({ name: 'orphan', command: process.execPath, args, logPath: process.argv[1] + '.log' });
  registry.add(child);
  console.log(child.pid);
  setInterval(() => {}, 1000);`;

test('a second supervisor on the same folder is told of the first', async () => {
  await using dir = await temporaryDir();
  const path = join(dir.path, 'processes.json');
  const registry = await openProcessRegistry(path, SILENT);
  await expect(openProcessRegistry(path, SILENT)).rejects.toThrow(
    `Kindred is running already (process ${process.pid}, http://localhost:4000): end that one, or choose another --state DIR and --port N.`,
  );
  registry.release();
  const next = await openProcessRegistry(path, SILENT);
  next.release();
  expect(existsSync(path)).toBe(false);
});

test('what a killed supervisor left running is ended by the next', async () => {
  await using dir = await temporaryDir();
  const path = join(dir.path, 'processes.json');
  const supervisor = spawn(process.execPath, ['--input-type=module', '--eval', SUPERVISOR, path]);
  const [chunk] = (await new Promise<Buffer[]>((resolve, reject) => {
    supervisor.stdout.once('data', (data: Buffer) => resolve([data]));
    supervisor.stderr.once('data', (data: Buffer) => reject(new Error(data.toString())));
  })) satisfies Buffer[];
  const orphan = Number(chunk?.toString());
  supervisor.kill('SIGKILL');
  await waitUntil(() => Promise.resolve(processStart(supervisor.pid ?? 0) === null), {
    what: 'its end',
    timeoutMs: 5_000,
  });
  expect(processStart(orphan)).not.toBeNull();

  const left: string[] = [];
  const registry = await openProcessRegistry(path, { ...SILENT, onLeftovers: (names) => left.push(...names) });
  expect([left, processStart(orphan)]).toEqual([['orphan'], null]);
  registry.release();
}, 40_000);

test('a process that only has the id of one of ours is left alone', async () => {
  await using dir = await temporaryDir();
  const path = join(dir.path, 'processes.json');
  const stranger = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)']);
  const gone = { name: 'supervisor', pid: 999_999_999, start: 'boot/1', stopSignal: 'SIGTERM' };
  const reused = { name: 'reused', pid: stranger.pid, start: 'another boot/1', stopSignal: 'SIGTERM' };
  writeFileSync(path, JSON.stringify({ supervisor: gone, address: '', children: [reused] }));
  const registry = await openProcessRegistry(path, SILENT);
  expect(processStart(stranger.pid ?? 0)).not.toBeNull();
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ supervisor: { pid: process.pid }, children: [] });
  registry.release();
  stranger.kill('SIGKILL');
});

test('a list that cannot be read stops the start with one line', async () => {
  await using dir = await temporaryDir();
  const path = join(dir.path, 'processes.json');
  writeFileSync(path, '{ half');
  await expect(openProcessRegistry(path, SILENT)).rejects.toThrow(
    `${path} cannot be read: make sure that no Kindred runs there`,
  );
});
