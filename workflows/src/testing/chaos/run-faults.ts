import { setTimeout } from 'node:timers/promises';
import { recordInteractions } from '@kindred/db/interactions';
import { withTenant } from '@kindred/db/tenants';
import { createTrainingRun } from '@kindred/db/training-runs';
import { newId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { startRun } from '../training-world.ts';
import { between } from './draw.ts';
import type { Fault } from './fault.ts';

/** Beyond what a 32-bit number holds. */
const POISON = 1e300;
const CANCEL_WITHIN_MS = 10_000;

/** Faults of what is asked for, and of what is learned from. */
export const RUN_FAULTS: Record<string, Fault> = {
  'poison data': {
    invariant: 'A row that cannot be learned from ends the run at once, with a reason that names what is wrong.',
    endings: ['FAILED'],
    failure: /cannot be learned from/,
    async prepare({ world }, viewer) {
      const row = { userExternalId: 'user-1', itemExternalId: 'item-1', type: 'RATING' as const, value: POISON };
      await withTenant(world.deps.db, requireTenant(viewer), (tx) =>
        recordInteractions(tx, [{ ...row, occurredAt: new Date() }]),
      );
    },
    strike: async () => {},
  },
  'two trainings at once': {
    invariant: 'One training per model: the second is refused, and the first does not notice.',
    async strike({ world, log }, { input }, random) {
      await setTimeout(between(random, 0, 2_000));
      const { tenantId, modelId } = input;
      const [second, execution] = await Promise.allSettled([
        withTenant(world.deps.db, tenantId, (tx) =>
          createTrainingRun(tx, { id: newId('TrainingRun'), modelId, settings: {} }),
        ),
        startRun(world, input),
      ]);
      if (second.status === 'fulfilled') throw new Error('A second run of the model was let through.');
      if (execution.status === 'fulfilled' || !(execution.reason instanceof WorkflowExecutionAlreadyStartedError)) {
        throw new Error('A second execution for the model was let through.', { cause: execution });
      }
      log('the second training was refused');
    },
  },
  'cancel at a random time': {
    invariant: 'A run that was cancelled ends within ten seconds and leaves nothing half-made.',
    endings: ['CANCELLED', 'SUCCEEDED'],
    async strike({ log }, { handle }, random) {
      await setTimeout(between(random, 0, 8_000));
      await handle.cancel();
      const cancelledAt = Date.now();
      await handle.result().catch(() => null);
      const tookMs = Date.now() - cancelledAt;
      log(`cancelled, and over after ${tookMs} ms`);
      if (tookMs > CANCEL_WITHIN_MS) throw new Error(`The run went on for ${tookMs} ms after it was cancelled.`);
    },
  },
};
