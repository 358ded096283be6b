import { execFile } from 'node:child_process';
import { rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { RandomState } from '@kindred/core/random';
import { openOwnerSession } from '@kindred/testing/owner-session';
import type { ServerName } from './control.ts';
import { between } from './draw.ts';
import type { Fault } from './fault.ts';
import { type Scene, type Stage, untilEpoch, untilFailure } from './stage.ts';

/** What a training needs until it is disturbed; little, so that it is soon taken. */
const ROOM_BYTES = 8 * 2 ** 20;

const REFILL_EVERY_MS = 20;

/** Faults of what the work stands on. */
export const SERVER_FAULTS: Record<string, Fault> = {
  'Temporal restarted': {
    invariant: 'The work goes on while Temporal is away, and is counted when it is back.',
    strike: (stage, scene, random) => takeAway(stage, scene, { server: 'temporal', random }),
  },
  'PostgreSQL restarted': {
    invariant: 'What was told stays told; the rest is done again.',
    strike: (stage, scene, random) => takeAway(stage, scene, { server: 'postgres', random }),
  },
  'PostgreSQL read-only': {
    invariant: 'A step that cannot write is tried until it can.',
    async strike(stage, scene, random) {
      await untilEpoch(stage, scene, between(random, 2, 15));
      await using owner = await openOwnerSession(stage.world.database.ownerUrl);
      const setReadOnly = async (value: 'on' | 'off') => {
        await owner.query(`ALTER SYSTEM SET default_transaction_read_only = ${value}`);
        await owner.query('SELECT pg_reload_conf()');
        stage.log(`read-only ${value}`);
      };
      await setReadOnly('on');
      await untilFailure(stage, scene, /read-only|25006/);
      await setTimeout(between(random, 0, 2_000));
      await setReadOnly('off');
    },
  },
  'Redis gone': {
    invariant: 'Without Redis trainings go on, and who follows them misses nothing.',
    strike: (stage, scene, random) => takeAway(stage, scene, { server: 'redis', random }),
  },
  'disk full': {
    invariant: 'What could not be written whole does not exist; the step is tried until there is room.',
    isPossible: ({ disk }) => disk !== null,
    async prepare({ disk }) {
      const path = join(disk ?? '', 'filler');
      await fill(path);
      await truncate(path, (await stat(path)).size - ROOM_BYTES);
    },
    async strike(stage, scene, random) {
      const path = join(stage.disk ?? '', 'filler');
      const failed = new AbortController();
      await untilEpoch(stage, scene, between(random, 2, 12));
      const filling = keepFull(path, failed.signal);
      try {
        await untilFailure(stage, scene, /ENOSPC/);
        await setTimeout(between(random, 0, 2_000));
      } finally {
        failed.abort();
        await filling;
        await rm(path);
        stage.log('there is room again');
      }
    },
  },
};

/** Takes all the room that there is: dd ends with an error once there is none. */
async function fill(path: string): Promise<void> {
  const append = ['oflag=append', 'conv=notrunc'];
  await promisify(execFile)('dd', ['if=/dev/zero', `of=${path}`, 'bs=64k', ...append]).catch(() => null);
}

/** Also what others make room for meanwhile, such as checkpoints that are forgotten. */
async function keepFull(path: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await fill(path);
    await setTimeout(REFILL_EVERY_MS, null, { signal }).catch(() => null);
  }
}

/** Ends a server in mid-training, sometimes in good order and sometimes not, and brings it back a little later. */
async function takeAway(
  stage: Stage,
  scene: Scene,
  { server, random }: { server: ServerName; random: RandomState },
): Promise<void> {
  await untilEpoch(stage, scene, between(random, 2, 15));
  const how = between(random, 0, 1) === 0 ? 'kill' : 'stop';
  await stage.control.order(server, how);
  stage.log(`${server}: ${how}`);
  await setTimeout(between(random, 200, 4_000));
  await stage.control.order(server, 'start');
  stage.log(`${server} is back`);
}
