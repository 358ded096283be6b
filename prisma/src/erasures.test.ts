import { randomBytes } from 'node:crypto';
import { createTestModel, createTestRun } from '@kindred/testing/test-model';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import type { TestTenant } from '@kindred/testing/test-tenant';
import { type ErasureId, newId } from '@kindred/domain/ids';
import { expect, test } from 'vitest';
import { findRunningCanary, startCanary } from './canaries.ts';
import type { Db } from './client.ts';
import { appendReceiptLine, findReceipts } from './erasure-receipts.ts';
import { createErasure, eraseUserRows } from './erasures.ts';
import { recordInteractions } from './interactions.ts';
import { upsertItems } from './items.ts';
import { completeModelVersion, createModelVersion } from './model-versions.ts';
import { type TenantTx, withTenant } from './tenants.ts';
import { findTrainingRuns, setTrainingPhase, startTrainingRun } from './training-runs.ts';
import { findUserByExternalId } from './users.ts';
import { createWebhook } from './webhooks.ts';

const METRICS = { ndcgAt10: 0, recallAt10: 0, hitRateAt10: 0, coverageAt10: 0 };

/** A tenant with the user `person`, a training that has read the interactions, its half-made version, and one that waits. */
async function seed(db: Db, { tenantId, accountId }: TestTenant) {
  return withTenant(db, tenantId, async (tx) => {
    await upsertItems(tx, [{ externalId: 'item', title: 'Item', categories: [], properties: {} }]);
    await recordInteractions(tx, [
      { userExternalId: 'person', itemExternalId: 'item', type: 'VIEW', occurredAt: new Date() },
    ]);
    const { id: runId } = await createTestRun(tx, await createTestModel(tx));
    await startTrainingRun(tx, runId);
    await setTrainingPhase(tx, { runId, phase: 'TRAIN' });
    const { id: waitingId } = await createTestRun(tx, await createTestModel(tx, 'Another'));
    const versionId = newId('ModelVersion');
    await createModelVersion(tx, { id: versionId, runId, algorithm: 'LIGHTGCN', artefactKey: 'none' });
    const erasureId = newId('Erasure');
    const requestedBy = { kind: 'account', id: accountId } as const;
    await createErasure(tx, {
      id: erasureId,
      subject: randomBytes(32),
      externalId: 'person',
      retrain: false,
      requestedBy,
    });
    return { tenantId, runId, waitingId, versionId, erasureId };
  });
}

const complete = (versionId: Parameters<typeof completeModelVersion>[1]['versionId']) => (tx: TenantTx) =>
  completeModelVersion(tx, {
    versionId,
    metrics: METRICS,
    baselines: [],
    index: { kind: 'EXACT', factory: null, recallAt20: 1 },
  });

const erase = (db: Db, { tenantId, erasureId }: { tenantId: TestTenant['tenantId']; erasureId: ErasureId }) =>
  withTenant(db, tenantId, (tx) => eraseUserRows(tx, erasureId));

test('a training that has read the user ends with the rows and completes no version; one that waits goes on', async () => {
  await using world = await createTwoTenants();
  const { db } = world;
  const [ours, theirs] = [await seed(db, world.ours), await seed(db, world.theirs)];
  const { leftovers } = await erase(db, ours);
  expect(leftovers.runs.map(({ runId }) => runId)).toEqual([ours.runId]);
  const statuses = await withTenant(db, ours.tenantId, async (tx) =>
    (await findTrainingRuns(tx, [ours.runId, ours.waitingId])).map(({ id, status }) => [id, status]),
  );
  expect(new Map(statuses as [string, string][])).toEqual(
    new Map([
      [ours.runId, 'CANCELLED'],
      [ours.waitingId, 'QUEUED'],
    ]),
  );
  await expect(withTenant(db, ours.tenantId, complete(ours.versionId))).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(await withTenant(db, theirs.tenantId, complete(theirs.versionId))).toMatchObject({ status: 'READY' });
  expect(await withTenant(db, theirs.tenantId, (tx) => findUserByExternalId(tx, 'person'))).not.toBeNull();
});

test('a training that ends so is told to webhooks, and the trial of its version ends with it', async () => {
  await using world = await createTwoTenants();
  const { db } = world;
  const [ours, theirs] = [await seed(db, world.ours), await seed(db, world.theirs)];
  for (const { tenantId, versionId } of [ours, theirs]) {
    await withTenant(db, tenantId, async (tx) => {
      const webhook = { id: newId('Webhook'), url: 'https://hook.example/', sealedSecret: new Uint8Array([1]) };
      await createWebhook(tx, webhook);
      await complete(versionId)(tx);
      const settings = { sharePercent: 50, minimumAnswers: 10, maximumMinutes: 60 };
      await startCanary(tx, { versionId, controlId: versionId, settings });
    });
  }
  await erase(db, ours);
  const read = ({ tenantId }: { tenantId: TestTenant['tenantId'] }) =>
    withTenant(db, tenantId, async (tx) => ({
      types: (await tx.client.webhookEvent.findMany({ where: { tenantId } })).map(({ type }) => type),
      isOnTrial: (await findRunningCanary(tx)) !== null,
    }));
  expect(await read(ours)).toEqual({ types: ['training_run.cancelled'], isOnTrial: false });
  expect(await read(theirs)).toEqual({ types: [], isOnTrial: true });
});

test('erasing twice changes nothing more', async () => {
  await using world = await createTwoTenants();
  const ours = await seed(world.db, world.ours);
  const first = await erase(world.db, ours);
  expect(first.events).toHaveLength(1);
  expect(await erase(world.db, ours)).toEqual({ leftovers: first.leftovers, events: [] });
});

test('a model is without the user from its first version that began when the rows were gone, whenever lines were written', async () => {
  await using world = await createTwoTenants();
  const { db } = world;
  const [ours, theirs] = [await seed(db, world.ours), await seed(db, world.theirs)];
  const line = (scope: string) => ({ store: 'MODEL_VERSION' as const, scope, rowCount: 0, evidence: randomBytes(32) });
  const beganBefore = await withTenant(db, ours.tenantId, async (tx) => {
    await tx.client.trainingRun.update({
      where: { tenantId_id: { tenantId: ours.tenantId, id: ours.runId } },
      data: { status: 'SUCCEEDED' },
    });
    return (await complete(ours.versionId)(tx)).id;
  });
  await erase(db, ours);
  await erase(db, theirs);
  const beganAfter = newId('ModelVersion');
  const lines = await withTenant(db, ours.tenantId, async (tx) => {
    await appendReceiptLine(tx, ours.erasureId, line(beganBefore));
    const [run] = await findTrainingRuns(tx, [ours.runId]);
    const model = await tx.client.model.findFirstOrThrow({
      where: { tenantId: ours.tenantId, id: run?.modelId ?? '' },
    });
    const { id: runId } = await createTestRun(tx, model as Awaited<ReturnType<typeof createTestModel>>);
    await startTrainingRun(tx, runId);
    await createModelVersion(tx, { id: beganAfter, runId, algorithm: 'LIGHTGCN', artefactKey: 'none' });
    await complete(beganAfter)(tx);
    await appendReceiptLine(tx, ours.erasureId, line(beganAfter));
    const [receipt] = await findReceipts(tx, [ours.erasureId]);
    return receipt?.lines.filter(({ store }) => store === 'MODEL_VERSION');
  });
  expect(lines?.map(({ scope, outOfWeightsSince }) => [scope, outOfWeightsSince])).toEqual([
    [beganBefore, 2],
    [beganAfter, 2],
  ]);
});
