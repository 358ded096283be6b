import { truncate } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { nextUint32, type RandomState } from '@kindred/core/random';
import { findVersionsByRuns } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { claimTrainingRun } from '@kindred/db/training-checkpoints';
import type { ModelVersionStatus } from '@kindred/domain/training';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { TrainModelInput } from '../../contract.ts';
import { readRun, startRun } from '../training-world.ts';
import type { Stage } from './stage.ts';

/** A way to disturb a training that has been started. */
export interface Fault {
  /** How the run may end; SUCCEEDED alone where absent. */
  endings?: readonly string[];
  strike(stage: Stage, input: TrainModelInput, random: RandomState): Promise<void>;
}

const between = (random: RandomState, low: number, high: number) =>
  low + Math.floor((nextUint32(random) / 2 ** 32) * (high - low + 1));

async function untilVersionIs(stage: Stage, input: TrainModelInput, statuses: readonly ModelVersionStatus[]) {
  const { db } = stage.world.deps;
  await stage.until(`the trained version is ${statuses.join(' or ')}`, async () => {
    const versions = await withTenant(db, input.tenantId, (tx) => findVersionsByRuns(tx, [input.runId]));
    return versions.some(({ algorithm, status }) => algorithm === 'LIGHTGCN' && statuses.includes(status));
  });
}

export const FAULTS: Record<string, Fault> = {
  'worker killed in mid-epoch': {
    async strike(stage, input, random) {
      await stage.untilEpoch(input, between(random, 2, 15));
      await setTimeout(between(random, 0, 40));
      await stage.kill('train-cpu');
      await stage.raise();
    },
  },
  'worker killed, newest checkpoint torn': {
    async strike(stage, input, random) {
      await stage.untilEpoch(input, between(random, 3, 15));
      await stage.kill('train-cpu');
      const { run } = await readRun(stage.world, input);
      const [newest] = run?.checkpoints ?? [];
      if (newest !== undefined) {
        await truncate(await stage.world.deps.objects.materialize(newest.key), between(random, 0, 500));
        stage.log(`checkpoint of epoch ${newest.epoch} torn`);
      }
      await stage.raise();
    },
  },
  'worker killed in mid-index-build': {
    async strike(stage, input, random) {
      await untilVersionIs(stage, input, ['BUILDING', 'READY', 'ACTIVE']);
      await setTimeout(between(random, 0, 30));
      await stage.kill('train-cpu');
      await stage.raise();
    },
  },
  'worker killed between READY and ACTIVE': {
    async strike(stage, input) {
      await untilVersionIs(stage, input, ['READY', 'ACTIVE']);
      await stage.kill('data');
      await stage.raise();
    },
  },
  'worker killed between ACTIVE and outbox': {
    async strike(stage, input) {
      await untilVersionIs(stage, input, ['ACTIVE']);
      await stage.kill('data');
      await stage.raise();
    },
  },
  'workflow worker killed': {
    async strike(stage, input, random) {
      await stage.untilEpoch(input, between(random, 1, 15));
      await stage.kill('workflows');
      await stage.raise();
    },
  },
  'late orphan': {
    async strike(stage, input, random) {
      await stage.untilEpoch(input, between(random, 2, 15));
      await withTenant(stage.world.deps.db, input.tenantId, (tx) => claimTrainingRun(tx, input.runId));
      stage.log('the attempt under way was taken over from');
    },
  },
  'two trainings at once': {
    async strike(stage, input) {
      const second = await startRun(stage.world, input).catch((error: unknown) => error);
      if (!(second instanceof WorkflowExecutionAlreadyStartedError))
        throw new Error('A second training was let through.');
      stage.log('the second training was refused');
    },
  },
  'cancel at a random time': {
    endings: ['CANCELLED', 'SUCCEEDED'],
    async strike(stage, input, random) {
      await setTimeout(between(random, 0, 8_000));
      const { workflow } = stage.world.client;
      await workflow.getHandle(`tenant/${input.tenantId}/model/${input.modelId}/training`).cancel();
      stage.log('cancelled');
    },
  },
};
