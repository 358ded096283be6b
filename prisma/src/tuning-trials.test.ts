import { newId } from '@kindred/domain/ids';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { expect, test } from 'vitest';
import { createJob, finishJob, startJob } from './jobs.ts';
import { withTenant } from './tenants.ts';
import { addTrialStep, claimTrial, endTrial, listTrials, planTrials, TrialSupersededError } from './tuning-trials.ts';

async function openTuning() {
  const world = await createTwoTenants();
  const tuningId = newId('Tuning');
  await withTenant(world.db, world.ours.tenantId, async (tx) => {
    await createJob(tx, { id: tuningId, kind: 'TUNING', order: {} });
    await startJob(tx, tuningId, {});
    await planTrials(tx, { tuningId, points: [{}, { layers: 2 }] });
    await planTrials(tx, { tuningId, points: [{ layers: 3 }, { layers: 3 }] });
  });
  return { world, tuningId };
}

test('an attempt at a trial that takes over begins anew, and the one before it writes no more', async () => {
  const { world, tuningId } = await openTuning();
  await using _ = world;
  const { db, ours } = world;
  const inTenant = <T>(work: Parameters<typeof withTenant<T>>[2]) => withTenant(db, ours.tenantId, work);
  const first = { tuningId, number: 1, fence: 1 };
  expect(await inTenant((tx) => claimTrial(tx, first))).toMatchObject({ fence: 1, settings: { layers: 2 } });
  await inTenant((tx) => addTrialStep(tx, first, 0.5));
  expect(await inTenant((tx) => claimTrial(tx, first))).toMatchObject({ fence: 2, curve: [] });
  await expect(inTenant((tx) => addTrialStep(tx, first, 0.9))).rejects.toThrow(TrialSupersededError);
  await inTenant((tx) => addTrialStep(tx, { ...first, fence: 2 }, 0.25));
  await inTenant((tx) => endTrial(tx, { tuningId, number: 1, status: 'DONE', failure: null }));
  expect(await inTenant((tx) => claimTrial(tx, first))).toBeNull();
  const trials = await inTenant((tx) => listTrials(tx, { tuningId, first: 10, afterNumber: -1 }));
  expect(trials).toMatchObject([
    { number: 0, status: 'WAITING', settings: {} },
    { number: 1, status: 'DONE', curve: [0.25] },
  ]);
});

test('a trial of a tuning that has ended is neither begun nor written', async () => {
  const { world, tuningId } = await openTuning();
  await using _ = world;
  await withTenant(world.db, world.ours.tenantId, async (tx) => {
    await claimTrial(tx, { tuningId, number: 0 });
    await finishJob(tx, { id: tuningId, status: 'CANCELLED', failure: null });
    expect(await claimTrial(tx, { tuningId, number: 1 })).toBeNull();
    await expect(addTrialStep(tx, { tuningId, number: 0, fence: 1 }, 1)).rejects.toThrow(TrialSupersededError);
  });
});

test("a tenant sees, begins and writes none of another tenant's trials", async () => {
  const { world, tuningId } = await openTuning();
  await using _ = world;
  await withTenant(world.db, world.theirs.tenantId, async (tx) => {
    expect(await listTrials(tx, { tuningId, first: 10, afterNumber: -1 })).toEqual([]);
    expect(await claimTrial(tx, { tuningId, number: 0 })).toBeNull();
    await expect(addTrialStep(tx, { tuningId, number: 0, fence: 0 }, 1)).rejects.toThrow(TrialSupersededError);
  });
});
