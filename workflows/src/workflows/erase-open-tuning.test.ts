import { randomBytes } from 'node:crypto';
import { listReceiptLines } from '@kindred/db/erasure-receipts';
import { createErasure, getErasure } from '@kindred/db/erasures';
import { withTenant } from '@kindred/db/tenants';
import { listUsers } from '@kindred/db/users';
import { newId } from '@kindred/domain/ids';
import { jobFolder } from '@kindred/domain/jobs';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test, vi } from 'vitest';
import { ERASE_USER, eraseUserWorkflowId, TASK_QUEUES } from '../contract.ts';
import { SMALL, type TrainingWorld } from '../testing/training-world.ts';
import { queueTuning, readTuning, startTuning } from '../testing/tuning-world.ts';
import { openWorldAroundTests } from '../testing/world-around-tests.ts';

vi.setConfig({ testTimeout: 400_000 });

const ENDLESS = 100_000;

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

/** A tenant with a tuning under way that does not end by itself. */
async function tenantThatTunes() {
  const { tenantId, accountId } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 40, itemCount: 60 });
  const order = { trialCount: 3, parallelCount: 1, epochs: ENDLESS, seed: 1, applies: true };
  const settings = { dimension: SMALL.dimension, batchSize: SMALL.batchSize, epochs: ENDLESS, patience: ENDLESS };
  const tuning = await queueTuning(world, tenantId, { order, settings });
  const handle = await startTuning(world, tuning);
  await expect
    .poll(async () => (await readTuning(world, tuning)).events.length, { timeout: 100_000 })
    .toBeGreaterThan(3);
  return { tenantId, accountId, tuning, handle, settings };
}

test('erasing a user ends the tuning that has read the user, and its files, and leaves the tuning of another tenant going', async () => {
  const [ours, theirs] = await Promise.all([tenantThatTunes(), tenantThatTunes()]);
  const { db, objects } = world.deps;
  const { tenantId, accountId, tuning } = ours;
  expect(await objects.list(jobFolder(tuning))).not.toEqual([]);
  const [user] = await withTenant(db, tenantId, (tx) => listUsers(tx, { first: 1 }));
  if (user === undefined) expect.fail();
  const ref = { tenantId, erasureId: newId('Erasure') };
  const requestedBy = { kind: 'account', id: accountId } as const;
  await withTenant(db, tenantId, (tx) =>
    createErasure(tx, {
      id: ref.erasureId,
      subject: randomBytes(32),
      externalId: user.externalId,
      retrain: false,
      requestedBy,
    }),
  );
  const workflowId = eraseUserWorkflowId(ref);
  await world.client.workflow.execute(ERASE_USER, { taskQueue: TASK_QUEUES.workflows, workflowId, args: [ref] });
  await ours.handle.result().catch(() => undefined);

  const { row, model, trials, events } = await readTuning(world, tuning);
  expect(row).toMatchObject({ status: 'CANCELLED', state: { best: null, appliedAt: null } });
  expect(model?.settings).toEqual(ours.settings);
  const last = events.at(-1)?.body;
  expect(last).toMatchObject({ kind: 'FINISHED', message: expect.stringContaining('erased') });
  expect(trials.filter(({ status }) => status === 'DONE')).toEqual([]);
  expect(await objects.list(jobFolder(tuning))).toEqual([]);
  await withTenant(db, tenantId, async (tx) => {
    expect((await getErasure(tx, ref.erasureId)).sealedAt).not.toBeNull();
    const lines = await listReceiptLines(tx, ref.erasureId);
    expect(lines.map(({ store, scope }) => `${store} ${scope}`)).toContain(`JOB_FILES ${tuning.jobId}`);
  });

  const other = await readTuning(world, theirs.tuning);
  expect(other.row?.status).toBe('RUNNING');
  expect(await objects.list(jobFolder(theirs.tuning))).not.toEqual([]);
  await expect
    .poll(async () => (await readTuning(world, theirs.tuning)).events.length, { timeout: 60_000 })
    .toBeGreaterThan(other.events.length);
  await theirs.handle.cancel();
  await expect(theirs.handle.result()).rejects.toThrow();
});
