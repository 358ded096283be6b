import { watch } from 'node:fs';
import { mkdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { runFolder } from '../../run-files.ts';
import { readRun } from '../training-world.ts';
import { between } from './draw.ts';
import type { Fault } from './fault.ts';
import { holdGate, onMoment } from './ledger.ts';
import { PATIENCE_MS, type Scene, type Stage, until, untilEpoch, untilFailure } from './stage.ts';

/** Faults of the processes that do the work. */
export const WORKER_FAULTS: Record<string, Fault> = {
  'worker killed in mid-epoch': {
    invariant: 'The next attempt goes on behind the last epoch that was told.',
    async strike(stage, scene, random) {
      await untilEpoch(stage, scene, between(random, 2, 15));
      await setTimeout(between(random, 0, 40));
      await stage.workers.kill('train-cpu');
      await stage.workers.raise();
    },
  },
  'worker killed in mid-checkpoint': {
    invariant: 'A checkpoint that was not written whole is never gone on from.',
    async strike(stage, scene, random) {
      await untilEpoch(stage, scene, between(random, 2, 15));
      await untilPartIsWritten(stage, scene);
      await stage.workers.kill('train-cpu');
      await stage.workers.raise();
    },
  },
  'newest checkpoint torn': {
    invariant: 'A checkpoint that the disk lost a part of costs what was computed since the one before.',
    async strike(stage, scene, random) {
      await untilEpoch(stage, scene, between(random, 3, 15));
      await stage.workers.kill('train-cpu');
      const { run } = await readRun(stage.world, scene.input);
      const [newest] = run?.checkpoints ?? [];
      if (newest !== undefined) {
        await truncate(await stage.world.deps.objects.materialize(newest.key), between(random, 0, 500));
        stage.log(`the checkpoint of epoch ${newest.epoch} is torn`);
      }
      await stage.workers.raise();
    },
  },
  'worker killed in mid-index-build': {
    invariant: 'A half-built version never answers and leaves nothing.',
    async strike(stage, scene, random) {
      await untilMoment(stage, scene, 'BUILDING');
      await setTimeout(between(random, 0, 150));
      await stage.workers.kill('train-cpu');
      await stage.workers.raise();
    },
  },
  'worker killed between READY and ACTIVE': {
    invariant: 'The version comes to answer, once.',
    async strike(stage) {
      await using gate = await holdGate(stage.world.database.ownerUrl, 'promotion');
      await until(stage, 'the promotion is under way', () => gate.isReached());
      await stage.workers.kill('data');
      await stage.workers.raise();
    },
  },
  'worker killed between ACTIVE and outbox': {
    invariant: 'The word of a promotion reaches serving although its writer did not live to send it.',
    async strike(stage, scene, random) {
      if (between(random, 0, 1) === 0) {
        await untilMoment(stage, scene, 'ACTIVE');
        await stage.workers.kill('data');
      } else {
        await using gate = await holdGate(stage.world.database.ownerUrl, 'outbox');
        await untilMoment(stage, scene, 'ACTIVE');
        await until(stage, 'the word is sent and not yet forgotten', () => gate.isReached());
        await stage.workers.kill('data');
      }
      await stage.workers.raise();
    },
  },
  'workflow worker killed': {
    invariant: 'The process goes on where its history says it was.',
    async strike(stage, scene, random) {
      await untilEpoch(stage, scene, between(random, 1, 15));
      await stage.workers.kill('workflows');
      await stage.workers.raise();
    },
  },
  'hung activity': {
    invariant: 'A step that hangs is given to another worker once its heartbeats stay away.',
    async strike(stage, scene, random) {
      await untilEpoch(stage, scene, between(random, 2, 15));
      stage.workers.freeze('train-cpu');
      await untilFailure(stage, scene, /heartbeat/i);
      await stage.workers.raise();
    },
  },
  'late orphan': {
    invariant: 'An attempt that was given up can neither tell nor publish, nor leave files behind.',
    async strike(stage, scene, random) {
      await untilEpoch(stage, scene, between(random, 2, 15));
      const orphan = stage.workers.freeze('train-cpu');
      await untilFailure(stage, scene, /heartbeat/i);
      // Sometimes in the middle of the next attempt, sometimes behind the run's end.
      const isLate = between(random, 0, 1) === 1;
      const moment = isLate ? untilMoment(stage, scene, 'ACTIVE') : null;
      await stage.workers.raise();
      await (moment ?? setTimeout(between(random, 0, 1_500)));
      stage.workers.thaw(orphan);
      await setTimeout(between(random, 500, 2_000));
    },
  },
};

/** Resolves in the moment in which a checkpoint's file is begun. */
async function untilPartIsWritten(stage: Stage, { input }: Scene): Promise<void> {
  const folder = join(stage.world.folder, runFolder(input), 'checkpoints');
  await mkdir(folder, { recursive: true });
  const begun = Promise.withResolvers<string>();
  const watcher = watch(folder, (event, name) => {
    if (event === 'rename' && name?.endsWith('.part') === true) begun.resolve(name);
  });
  const name = await begun.promise;
  watcher.close();
  stage.log(`${name} is begun`);
}

/** Resolves in the moment in which the trained version comes to be so. */
async function untilMoment(stage: Stage, { input }: Scene, status: 'BUILDING' | 'ACTIVE'): Promise<void> {
  const come = Promise.withResolvers<boolean>();
  const moment = `${status}:${input.runId}` as const;
  await using _ = await onMoment(stage.world.database.ownerUrl, moment, () => come.resolve(true));
  const done = new AbortController();
  const tooLate = setTimeout(PATIENCE_MS, false, { signal: done.signal }).catch(() => false);
  const hasCome = await Promise.race([come.promise, tooLate]);
  done.abort();
  if (!hasCome) throw new Error(`The trained version was not ${status} within ${PATIENCE_MS / 1000} s.`);
  stage.log(`the trained version is ${status}`);
}
