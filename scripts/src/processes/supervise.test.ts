import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDir } from '../testing/temporary-dir.ts';
import { waitUntil } from '../wait-until.ts';
import { processStart } from './process-identity.ts';
import { openProcessRegistry, type ProcessRegistry } from './process-registry.ts';
import { type Child, startChild } from './start-child.ts';
import { type Part, type PartState, type Supervised, supervise } from './supervise.ts';

interface Stage {
  states: PartState[];
  children: Child[];
  supervised: Supervised;
}

async function stage(dir: string, code: string): Promise<Stage & { registry: ProcessRegistry }> {
  const registry = await openProcessRegistry(join(dir, 'processes.json'), {
    address: '',
    onLeftovers: () => undefined,
  });
  const states: PartState[] = [];
  const children: Child[] = [];
  const part: Part = {
    name: 'part',
    launch: async () => {
      const args = ['--eval', code];
      const child = await startChild({ name: 'part', command: process.execPath, args, logPath: join(dir, 'part.log') });
      children.push(child);
      return child;
    },
    waitUntilReady: async (signal) => {
      await waitUntil(() => Promise.resolve(children.length > 0 && code.includes('setInterval')), {
        what: 'part',
        timeoutMs: 5_000,
        signal,
      });
    },
  };
  const supervised = supervise(part, { registry, onChange: (state) => states.push(state), firstPauseMs: 20 });
  return { states, children, supervised, registry };
}

test('a part that crashes is started again, and ended for good when asked', async () => {
  await using dir = await temporaryDir();
  const { states, children, supervised, registry } = await stage(dir.path, 'setInterval(() => {}, 1000)');
  await supervised.ready;
  children[0]?.kill();
  const isBack = (): Promise<boolean> => Promise.resolve(states.filter(({ kind }) => kind === 'ready').length === 2);
  await waitUntil(isBack, { what: 'the second start', timeoutMs: 10_000, intervalMs: 20 });
  expect(states.find(({ kind }) => kind === 'restarting')).toMatchObject({
    reason: expect.stringContaining('it ended with SIGKILL') as string,
    inMs: 20,
  });
  await supervised.stop(5_000);
  expect(children.map(({ pid }) => processStart(pid))).toEqual([null, null]);
  expect(states.at(-1)).toEqual({ kind: 'stopped' });
  registry.release();
});

test('a part that never comes up is given up after three tries, with its last words', async () => {
  await using dir = await temporaryDir();
  const { states, children, supervised, registry } = await stage(dir.path, 'console.log("no key"); process.exit(3)');
  await expect(supervised.ready).rejects.toThrow(
    /^part does not start: it ended with code 3: no key \(see .*part\.log\)$/,
  );
  expect([children.length, states.at(-1)?.kind]).toEqual([3, 'failed']);
  await supervised.stop(1_000);
  registry.release();
});

test('a part that is waiting to be started again ends at once', async () => {
  await using dir = await temporaryDir();
  const { supervised, registry } = await stage(dir.path, 'process.exit(1)');
  await supervised.stop(1_000);
  await expect(supervised.ready).rejects.toThrow();
  registry.release();
});

test('a part that is asked to end while it is being launched ends all the same', async () => {
  await using dir = await temporaryDir();
  const registry = await openProcessRegistry(join(dir.path, 'processes.json'), {
    address: '',
    onLeftovers: () => undefined,
  });
  const launched = Promise.withResolvers<Child>();
  const part: Part = {
    name: 'part',
    launch: () => launched.promise,
    waitUntilReady: () => new Promise(() => undefined),
  };
  const supervised = supervise(part, { registry, onChange: () => undefined });
  const stopped = supervised.stop(5_000);
  const args = ['--eval', 'setInterval(() => {}, 1000)'];
  const child = await startChild({ name: 'part', command: process.execPath, args, logPath: join(dir.path, 'log') });
  launched.resolve(child);
  await stopped;
  expect(processStart(child.pid)).toBeNull();
  registry.release();
});
