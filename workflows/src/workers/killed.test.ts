import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test } from 'vitest';
import { spawnWorker } from '../testing/spawn-worker.ts';
import { openTrainingWorld, queueRun, readRun, SMALL, startRun } from '../testing/training-world.ts';

/** The processes that were started for this namespace, whoever their parents are. */
async function processesOf(namespace: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const owned = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environment.includes(`TEMPORAL_NAMESPACE=${namespace}\0`) ? [Number(pid)] : [];
    }),
  );
  return owned.flat();
}

test.skipIf(process.platform !== 'linux')(
  'a training worker that is killed leaves no process and no lock behind',
  async () => {
    await using world = await openTrainingWorld();
    await using processes = new AsyncDisposableStack();
    const others = [
      processes.use(await spawnWorker(world, 'workflows')),
      processes.use(await spawnWorker(world, 'data')),
    ].flatMap(({ child }) => child.pid ?? []);
    const doomed = await spawnWorker(world, 'train-cpu');
    const pid = doomed.child.pid ?? 0;
    const { tenantId } = await createTestTenant(world.deps.db);
    await seedCheckerboard(world.deps.db, tenantId, { userCount: 60, itemCount: 120 });
    const run = await queueRun(world, tenantId, {
      ...SMALL,
      loss: 'bpr',
      dimension: 64,
      epochs: 100_000,
      patience: 100_000,
    });
    const handle = await startRun(world, run);
    const isTraining = async () =>
      (await readRun(world, run)).events.some(({ body }) => body.kind === 'EPOCH_FINISHED');
    await expect.poll(isTraining, { timeout: 60_000, interval: 50 }).toBe(true);
    expect(new Set(await processesOf(world.namespace))).toEqual(new Set([...others, pid]));

    doomed.child.kill('SIGKILL');
    await once(doomed.child, 'exit');
    expect(new Set(await processesOf(world.namespace))).toEqual(new Set(others));
    const locks = (await readFile('/proc/locks', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/)[4]);
    expect(locks).not.toContain(String(pid));
    await handle.terminate();
  },
  300_000,
);
