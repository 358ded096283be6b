import type { Checkpoint } from '@kindred/domain/training';
import { createTestModel, createTestRun } from '@kindred/testing/test-model';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import { withTenant } from './tenants.ts';
import { claimTrainingRun, keepCheckpoints, SupersededError } from './training-checkpoints.ts';
import { findTrainingRuns, finishTrainingRun } from './training-runs.ts';

const after = (epoch: number): Checkpoint => ({ epoch, key: `checkpoint-${epoch}`, sha256: 'a'.repeat(64) });

test('the newest checkpoints are kept for the attempt that takes over, and the one before it is fenced off', async () => {
  await using world = await createTwoTenants();
  await withTenant(world.db, world.ours.tenantId, async (tx) => {
    const { id: runId } = await createTestRun(tx, await createTestModel(tx));
    expect(await claimTrainingRun(tx, runId)).toEqual({ fence: 1, checkpoints: [] });
    await keepCheckpoints(tx, { runId, fence: 1, checkpoints: [after(2), after(1)] });
    await keepCheckpoints(tx, { runId, fence: 1, checkpoints: [after(3), after(2)] });
    expect(await claimTrainingRun(tx, runId)).toEqual({ fence: 2, checkpoints: [after(3), after(2)] });

    const late = keepCheckpoints(tx, { runId, fence: 1, checkpoints: [after(4), after(3)] });
    await expect(late).rejects.toThrow(SupersededError);
    // The newest was damaged: the attempt goes on from the one before, and the damaged one is forgotten.
    const again = { ...after(3), sha256: 'b'.repeat(64) };
    await keepCheckpoints(tx, { runId, fence: 2, checkpoints: [again, after(2)] });
    const [run] = await findTrainingRuns(tx, [runId]);
    expect(run).toMatchObject({ fence: 2, checkpoints: [again, after(2)] });
  });
});

test('a run that has ended is neither claimed nor written', async () => {
  await using world = await createTwoTenants();
  await withTenant(world.db, world.ours.tenantId, async (tx) => {
    const { id: runId } = await createTestRun(tx, await createTestModel(tx));
    const { fence } = await claimTrainingRun(tx, runId);
    await finishTrainingRun(tx, { runId, status: 'CANCELLED' });
    await expect(claimTrainingRun(tx, runId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const late = keepCheckpoints(tx, { runId, fence, checkpoints: [after(1)] });
    await expect(late).rejects.toThrow(SupersededError);
  });
});

test("another tenant's run is neither claimed nor written", async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const run = await withTenant(db, ours.tenantId, async (tx) => createTestRun(tx, await createTestModel(tx)));
  const { fence } = await withTenant(db, ours.tenantId, (tx) => claimTrainingRun(tx, run.id));
  await withTenant(db, theirs.tenantId, async (tx) => {
    await expect(claimTrainingRun(tx, run.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const foreign = keepCheckpoints(tx, { runId: run.id, fence, checkpoints: [after(1)] });
    await expect(foreign).rejects.toThrow(SupersededError);
  });
});
