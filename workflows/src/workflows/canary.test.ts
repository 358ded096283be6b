import { addCanaryCounts, findCanaries, findRunningCanary, recordCanaryClicks } from '@kindred/db/canaries';
import { findServingVersion, findVersionsByRuns, promoteModelVersion } from '@kindred/db/model-versions';
import { setModelCanary } from '@kindred/db/models';
import { withTenant } from '@kindred/db/tenants';
import { createTrainingRun } from '@kindred/db/training-runs';
import type { CanarySettings } from '@kindred/domain/canary';
import { type ModelVersionId, newId, type TenantId } from '@kindred/domain/ids';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { v7 } from 'uuid';
import { expect, test, vi } from 'vitest';
import { STEERING_SIGNALS, type TrainModelInput } from '../contract.ts';
import { queueRun, readRun, SMALL, startRun, type TrainingWorld } from '../testing/training-world.ts';
import { openWorldAroundTests } from '../testing/world-around-tests.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const SETTINGS: CanarySettings = { sharePercent: 10, minimumAnswers: 200, maximumMinutes: 60 };

let world: TrainingWorld;
openWorldAroundTests((opened) => {
  world = opened;
});

const inTenant = <T>(tenantId: TenantId, work: Parameters<typeof withTenant<T>>[2]) =>
  withTenant(world.deps.db, tenantId, work);

/** A model whose version 2 answers, and whose next training, under way, puts version 3 on trial. */
async function openTrial(settings = SETTINGS) {
  const { tenantId } = await createTestTenant(world.deps.db);
  await seedCheckerboard(world.deps.db, tenantId, { userCount: 40, itemCount: 40 });
  const first = await queueRun(world, tenantId);
  const { versionId: controlId } = await (await startRun(world, first)).result();
  const second = { ...first, runId: newId('TrainingRun') };
  await inTenant(tenantId, async (tx) => {
    await setModelCanary(tx, { modelId: first.modelId, canary: settings });
    await createTrainingRun(tx, { id: second.runId, modelId: first.modelId, settings: SMALL });
  });
  const handle = await startRun(world, second);
  const findVersion = async () => (await inTenant(tenantId, findRunningCanary))?.versionId;
  await vi.waitFor(async () => expect(await findVersion()).toBeDefined(), { timeout: 60_000, interval: 200 });
  const [version] = await inTenant(tenantId, (tx) => findVersionsByRuns(tx, [second.runId]));
  if (version === undefined) throw new Error('The second run has no version.');
  return { tenantId, controlId, versionId: version.id, run: second, handle };
}

/** Both sides answer, and so many of the answers of each lead to clicks. */
async function tell(
  { tenantId, versionId }: { tenantId: TenantId; versionId: ModelVersionId },
  counts: { control: [answers: number, clicks: number]; canary: [answers: number, clicks: number]; errors?: number },
) {
  const { control, canary, errors = 0 } = counts;
  const clicksOf = (arm: 'CONTROL' | 'CANARY', count: number) =>
    Array.from({ length: count }, () => ({ versionId, recommendationId: v7(), arm }));
  await inTenant(tenantId, async (tx) => {
    await recordCanaryClicks(tx, [...clicksOf('CONTROL', control[1]), ...clicksOf('CANARY', canary[1])]);
    await addCanaryCounts(tx, versionId, {
      CONTROL: { answerCount: control[0], errorCount: 0 },
      CANARY: { answerCount: canary[0], errorCount: errors },
    });
  });
}

async function endOf({
  run,
  tenantId,
  versionId,
}: {
  run: TrainModelInput;
  tenantId: TenantId;
  versionId: ModelVersionId;
}) {
  const { run: row, events } = await readRun(world, run);
  const last = events.at(-1)?.body;
  const [canary] = await inTenant(tenantId, (tx) => findCanaries(tx, [versionId]));
  return {
    status: row?.status,
    message: last?.kind === 'FINISHED' ? last.message : null,
    canary: canary && { status: canary.status, reason: canary.reason },
    serving: (await inTenant(tenantId, findServingVersion))?.id,
    phases: events.flatMap(({ body }) => (body.kind === 'PHASE_STARTED' ? [body.message] : [])),
  };
}

test('a version on trial that is clicked less is rolled back without anybody, while another tenant is left alone', async () => {
  const [bad, bystander] = await Promise.all([openTrial(), openTrial()]);
  expect((await endOf(bad)).phases.at(-1)).toBe(
    'Version 3 answers 10 % of the users for at most 60 minutes; the others stay with version 2',
  );
  await tell(bad, { control: [2_000, 400], canary: [300, 15] });
  await bad.handle.result();
  const reason =
    'It is clicked less: 15 of 300 answers (5 %) led to a click, of the version before 400 of 2,000 answers (20 %); error probability at most 5 %.';
  expect(await endOf(bad)).toMatchObject({
    status: 'SUCCEEDED',
    message: `Version 3 is kept back. ${reason}`,
    canary: { status: 'ROLLED_BACK', reason },
    serving: bad.controlId,
  });
  expect(await inTenant(bystander.tenantId, findRunningCanary)).toMatchObject({ versionId: bystander.versionId });

  await tell(bystander, { control: [2_000, 200], canary: [300, 90] });
  await bystander.handle.result();
  expect(await endOf(bystander)).toMatchObject({
    message: expect.stringMatching(/^Version 3 answers now. It is clicked more/) as string,
    canary: { status: 'PROMOTED' },
    serving: bystander.versionId,
  });
});

test('a version on trial that fails is rolled back long before clicks could tell', async () => {
  const trial = await openTrial();
  await tell(trial, { control: [400, 40], canary: [0, 0], errors: 40 });
  await trial.handle.result();
  expect(await endOf(trial)).toMatchObject({
    message: expect.stringMatching(/^Version 3 is kept back. It failed in 40 of 40 answers/) as string,
    canary: { status: 'ROLLED_BACK' },
    serving: trial.controlId,
  });
});

test('a canary ends at once when its training is cancelled, and when a person promotes', async () => {
  const [cancelled, promoted] = await Promise.all([openTrial(), openTrial()]);
  await cancelled.handle.cancel();
  await expect(cancelled.handle.result()).rejects.toThrow();
  expect(await endOf(cancelled)).toMatchObject({
    status: 'CANCELLED',
    canary: { status: 'ABORTED', reason: 'The training was cancelled.' },
    serving: cancelled.controlId,
  });

  const { tenantId, versionId } = promoted;
  await inTenant(tenantId, (tx) => promoteModelVersion(tx, { versionId }));
  await promoted.handle.signal(STEERING_SIGNALS.lookAtCanary, { requestId: versionId });
  await promoted.handle.result();
  expect(await endOf(promoted)).toMatchObject({
    status: 'SUCCEEDED',
    message: 'Version 3 answers now. It was promoted before it was judged.',
    canary: { status: 'PROMOTED' },
    serving: versionId,
  });
});
