import { recordInteractions } from '@kindred/db/interactions';
import { setModelSchedule } from '@kindred/db/models';
import { withTenant } from '@kindred/db/tenants';
import { finishTrainingRun, findTrainingRuns, listTrainingRuns, startTrainingRun } from '@kindred/db/training-runs';
import type { TrainingSchedule } from '@kindred/domain/training';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test, vi } from 'vitest';
import {
  RETRAIN_ON_SCHEDULE,
  type RetrainInput,
  type RetrainOutcome,
  retrainWorkflowId,
  TASK_QUEUES,
} from '../contract.ts';
import { queueRun, startRun, type TrainingWorld } from '../testing/training-world.ts';
import { openWorldAroundTests } from '../testing/world-around-tests.ts';

vi.setConfig({ testTimeout: 180_000 });

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

/** A model whose last training has ended, or as `queueRun` leaves it, with this schedule. */
async function createScheduledModel(schedule: TrainingSchedule | null, lastRun: 'SUCCEEDED' | 'QUEUED') {
  const { db } = world.deps;
  const { tenantId } = await createTestTenant(db);
  await seedCheckerboard(db, tenantId, { userCount: 40, itemCount: 40 });
  const { modelId, runId } = await queueRun(world, tenantId);
  await withTenant(db, tenantId, async (tx) => {
    if (lastRun === 'SUCCEEDED') {
      await startTrainingRun(tx, runId);
      await finishTrainingRun(tx, { runId, status: lastRun });
    }
    await setModelSchedule(tx, { modelId, schedule });
  });
  return { input: { tenantId, modelId }, lastRunId: runId };
}

/** What Temporal starts when a schedule fires. */
function fire(input: RetrainInput): Promise<RetrainOutcome> {
  return world.client.workflow.execute(RETRAIN_ON_SCHEDULE, {
    taskQueue: TASK_QUEUES.workflows,
    workflowId: retrainWorkflowId(input.tenantId, input.modelId),
    args: [input],
  }) as Promise<RetrainOutcome>;
}

const runsOf = ({ tenantId, modelId }: RetrainInput) =>
  withTenant(world.deps.db, tenantId, (tx) => listTrainingRuns(tx, { modelId, first: 10 }));

test('a schedule trains its model once enough interactions have come in, and not before', async () => {
  const { input, lastRunId } = await createScheduledModel({ everyMinutes: 60, afterInteractions: 2 }, 'SUCCEEDED');
  const record = (eventId: string) =>
    withTenant(world.deps.db, input.tenantId, (tx) =>
      recordInteractions(tx, [
        { eventId, userExternalId: 'user-0', itemExternalId: 'item-0', type: 'VIEW', occurredAt: new Date() },
      ]),
    );
  await record('fresh-1');
  expect(await fire(input)).toEqual({
    runId: null,
    reason: 'fewer than 2 interactions came in since the last training',
  });
  expect((await runsOf(input)).map(({ id }) => id)).toEqual([lastRunId]);

  await record('fresh-2');
  const { runId } = await fire(input);
  const [run, ...others] = await runsOf(input);
  expect(run).toMatchObject({ id: runId, status: 'SUCCEEDED' });
  expect(others.map(({ id }) => id)).toEqual([lastRunId]);
});

test('a schedule that fires while its model is trained, or was taken away, trains nothing', async () => {
  const busy = await createScheduledModel({ everyMinutes: 60, afterInteractions: 1 }, 'QUEUED');
  expect(await fire(busy.input)).toEqual({ runId: null, reason: 'the model is being trained' });
  const gone = await createScheduledModel(null, 'SUCCEEDED');
  expect(await fire(gone.input)).toEqual({ runId: null, reason: 'the model has no schedule any more' });
});

test('a firing counts the interactions of its own tenant alone', async () => {
  const [ours, theirs] = [
    await createScheduledModel({ everyMinutes: 60, afterInteractions: 1 }, 'SUCCEEDED'),
    await createScheduledModel({ everyMinutes: 60, afterInteractions: 1 }, 'SUCCEEDED'),
  ];
  await withTenant(world.deps.db, theirs.input.tenantId, (tx) =>
    recordInteractions(tx, [
      { eventId: 'fresh', userExternalId: 'user-0', itemExternalId: 'item-0', type: 'VIEW', occurredAt: new Date() },
    ]),
  );
  expect(await fire(ours.input)).toMatchObject({ runId: null });
});

test("a training that the model's last workflow holds up is started once that has closed", async () => {
  const { input, lastRunId } = await createScheduledModel({ everyMinutes: 60, afterInteractions: 1 }, 'QUEUED');
  const { db } = world.deps;
  // Ended by its row, and its workflow not closed yet.
  const held = await startRun(world, { ...input, runId: lastRunId });
  await withTenant(db, input.tenantId, (tx) => finishTrainingRun(tx, { runId: lastRunId, status: 'CANCELLED' }));
  const { runId } = await fire(input);
  await held.result().catch(() => null);
  const runs = await withTenant(db, input.tenantId, (tx) => findTrainingRuns(tx, runId === null ? [] : [runId]));
  expect(runs).toMatchObject([{ failure: null, status: 'SUCCEEDED' }]);
});
