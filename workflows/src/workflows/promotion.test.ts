import { findServingVersion, findVersionsByRuns } from '@kindred/db/model-versions';
import { appendOutbox, findOutboxTenants } from '@kindred/db/outbox';
import { withTenant } from '@kindred/db/tenants';
import { createTrainingRun } from '@kindred/db/training-runs';
import { newId } from '@kindred/domain/ids';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { expect, test, vi } from 'vitest';
import { relayOutbox } from '../relay-outbox.ts';
import { queueRun, readRun, SMALL, startRun, type TrainingWorld } from '../testing/training-world.ts';
import { openWorldAroundTests } from '../testing/world-around-tests.ts';

vi.setConfig({ testTimeout: 180_000 });

/** Vectors as they are drawn at random: nothing is propagated, and next to nothing learned. */
const IGNORANT = { ...SMALL, layers: 0, epochs: 1, patience: 1, learningRate: 1e-7 };

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

test('a version that ranks worse than the one that answers is kept back, and the run says why', async () => {
  const { db } = world.deps;
  const { tenantId } = await createTestTenant(db);
  await seedCheckerboard(db, tenantId, { userCount: 40, itemCount: 40 });
  const good = await queueRun(world, tenantId);
  const { versionId } = await (await startRun(world, good)).result();
  expect((await readRun(world, good)).run?.qualityGate).toMatchObject({ passed: true });

  const bad = { ...good, runId: newId('TrainingRun') };
  await withTenant(db, tenantId, (tx) =>
    createTrainingRun(tx, { id: bad.runId, modelId: bad.modelId, settings: IGNORANT }),
  );
  await (await startRun(world, bad)).result();
  const { run, events } = await readRun(world, bad);
  expect(run).toMatchObject({ status: 'SUCCEEDED', failure: null, qualityGate: { passed: false } });
  const active = run?.qualityGate?.checks.find(({ name }) => name === 'ACTIVE_VERSION');
  expect(active).toMatchObject({ passed: false, message: expect.stringMatching(/^Is worse than version 2/) as string });
  expect(active?.interval?.high).toBeLessThan(0);
  expect(events.at(-1)?.body).toMatchObject({
    message: expect.stringMatching(/^Version 3 is kept back. Is worse than version 2/) as string,
  });
  expect(await withTenant(db, tenantId, findServingVersion)).toMatchObject({ id: versionId });
  expect(await withTenant(db, tenantId, (tx) => findVersionsByRuns(tx, [bad.runId]))).toMatchObject([
    { number: 3, status: 'READY', metrics: { ndcgAt10: expect.any(Number) as number } },
  ]);
});

test('a word that its writer did not live to send is sent by the relay', async () => {
  const { db, events } = world.deps;
  const { tenantId } = await createTestTenant(db);
  const heard = events.subscribe(`tenant:${tenantId}:promotion`);
  await heard.ready;
  await withTenant(db, tenantId, (tx) =>
    appendOutbox(tx, { topic: `tenant:${tenantId}:promotion`, message: { versionId: 'the-version' } }),
  );
  const later = () => new Date(Date.now() + 60_000);
  await relayOutbox(world.deps, later());
  for await (const message of heard) {
    expect(JSON.parse(message)).toEqual({ versionId: 'the-version' });
    break;
  }
  expect(await findOutboxTenants(db, later())).toEqual([]);
});
