import { countCanaries, endCanary, findCanaries, startCanary } from '@kindred/db/canaries';
import { completeModelVersion, createModelVersion } from '@kindred/db/model-versions';
import { withTenant } from '@kindred/db/tenants';
import { ATTRIBUTION_WINDOW_MS } from '@kindred/domain/canary';
import { type ModelVersionId, newId } from '@kindred/domain/ids';
import { type Attribution, signAttribution } from '@kindred/service/attribution-token';
import { seedCheckerboard } from '@kindred/testing/checkerboard';
import { INTERNAL_TOKEN_SECRET } from '@kindred/testing/subgraph-client';
import { createTestModel, createTestRun } from '@kindred/testing/test-model';
import { createTestTenant } from '@kindred/testing/test-tenant';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestCatalog, type TestCatalog } from './test-catalog.ts';

const RECORD = `mutation ($input: RecordInteractionsInput!) {
  recordInteractions(input: $input) { recordedCount failedCount userErrors { code message path } }
}`;

let catalog: TestCatalog;
beforeAll(async () => {
  catalog = await createTestCatalog();
});
afterAll(() => catalog[Symbol.asyncDispose]());

/** A tenant with a version on trial, and tokens of its answers, which showed item-0 and item-1. */
async function openTrial() {
  const tenant = await createTestTenant(catalog.db);
  const { tenantId, viewer } = tenant;
  const { itemIds } = await seedCheckerboard(catalog.db, tenantId, { userCount: 2, itemCount: 4 });
  const versionId = newId('ModelVersion');
  await withTenant(catalog.db, tenantId, async (tx) => {
    const run = await createTestRun(tx, await createTestModel(tx));
    await createModelVersion(tx, { id: versionId, runId: run.id, algorithm: 'LIGHTGCN', artefactKey: 'key' });
    const metrics = { ndcgAt10: 0.4, recallAt10: 0.3, hitRateAt10: 0.6, coverageAt10: 0.5 };
    const index = { kind: 'EXACT' as const, factory: null, recallAt20: 1 };
    await completeModelVersion(tx, { versionId, metrics, baselines: [], index });
    const settings = { sharePercent: 10, minimumAnswers: 1, maximumMinutes: 60 };
    await startCanary(tx, { versionId, controlId: versionId, settings });
  });
  const shown = ['item-0', 'item-1'].map((name) => itemIds.get(name)).filter((id) => id !== undefined);
  const answer = (changed: Partial<Attribution> = {}): string => {
    const trial = { id: versionId, arm: 'CANARY' as const };
    const own = { tenantId, recommendationId: v7(), scenario: 'default', versionId, trial, issuedAt: Date.now() };
    return signAttribution(INTERNAL_TOKEN_SECRET, { ...own, ...changed }, shown);
  };
  return { tenantId, viewer, versionId, answer };
}

type Trial = Awaited<ReturnType<typeof openTrial>>;

async function record(
  { viewer }: Pick<Trial, 'viewer'>,
  attributionToken: string,
  row: { type?: string; item?: string } = {},
) {
  const { type = 'CLICK', item = 'item-0' } = row;
  const value = type === 'CART' ? 1 : null;
  const interaction = { userExternalId: 'user-0', itemExternalId: item, type, value, attributionToken };
  const { recordInteractions } = await catalog.read<{
    recordInteractions: { recordedCount: number; failedCount: number; userErrors: object[] };
  }>(viewer, RECORD, { input: { interactions: [interaction] } });
  return recordInteractions;
}

async function clicksOf({ tenantId, versionId }: { tenantId: Trial['tenantId']; versionId: ModelVersionId }) {
  const counts = await withTenant(catalog.db, tenantId, async (tx) =>
    (await countCanaries(tx, await findCanaries(tx, [versionId]))).get(versionId),
  );
  return [counts?.CONTROL.clickCount, counts?.CANARY.clickCount];
}

test('an answer is credited once with the clicks on its items, on its own side', async () => {
  const trial = await openTrial();
  const token = trial.answer();
  for (const item of ['item-0', 'item-1', 'item-0']) await record(trial, token, { item });
  await record(trial, trial.answer(), { type: 'CART' });
  await record(trial, trial.answer({ trial: { id: trial.versionId, arm: 'CONTROL' } }));
  expect(await clicksOf(trial)).toEqual([1, 2]);
});

test('views, items that were not shown, late clicks and those behind the end of the trial are recorded, and credit nothing', async () => {
  const trial = await openTrial();
  expect(await record(trial, trial.answer(), { type: 'VIEW' })).toMatchObject({ recordedCount: 1 });
  expect(await record(trial, trial.answer(), { item: 'item-2' })).toMatchObject({ recordedCount: 1 });
  const issuedAt = Date.now() - ATTRIBUTION_WINDOW_MS - 1_000;
  expect(await record(trial, trial.answer({ issuedAt }))).toMatchObject({ recordedCount: 1 });
  expect(await record(trial, trial.answer({ trial: null }))).toMatchObject({ recordedCount: 1 });
  const { tenantId, versionId } = trial;
  await withTenant(catalog.db, tenantId, (tx) =>
    endCanary(tx, versionId, { status: 'ABORTED', reason: 'By the test.' }),
  );
  expect(await record(trial, trial.answer())).toMatchObject({ recordedCount: 1 });
  expect(await clicksOf(trial)).toEqual([0, 0]);
});

test('a forged token and one of another tenant are refused with their row, and credit nobody', async () => {
  const [trial, other] = await Promise.all([openTrial(), openTrial()]);
  const [form, payload = '', signature] = trial.answer().split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Attribution;
  const changed = Buffer.from(JSON.stringify({ ...claims, recommendationId: v7() })).toString('base64url');
  for (const token of [`${form}.${changed}.${signature}`, other.answer(), 'at1.e30.e30']) {
    expect(await record(trial, token)).toEqual({
      recordedCount: 0,
      failedCount: 1,
      userErrors: [
        {
          code: 'INVALID',
          message: 'attributionToken must be the attributionToken of an answer of this tenant, unchanged.',
          path: ['interactions', '0', 'attributionToken'],
        },
      ],
    });
  }
  expect(await clicksOf(trial)).toEqual([0, 0]);
  expect(await clicksOf(other)).toEqual([0, 0]);
});
