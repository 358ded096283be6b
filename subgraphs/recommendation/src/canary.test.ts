import { countCanaries, endCanary, findCanaries, startCanary } from '@kindred/db/canaries';
import { withTenant } from '@kindred/db/tenants';
import { canaryArmOf, type CanaryArm } from '@kindred/domain/canary';
import { encodeGlobalId, type ModelVersionId } from '@kindred/domain/ids';
import { verifyAttribution } from '@kindred/service/attribution-token';
import { INTERNAL_TOKEN_SECRET } from '@kindred/testing/subgraph-client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  createTestRecommendation,
  createTrainedWorld,
  recommend,
  type TestRecommendation,
} from './test-recommendation.ts';
import { promote, trainTestVersion } from './test-version.ts';

const SETTINGS = { sharePercent: 30, minimumAnswers: 10, maximumMinutes: 60 };

let subgraph: TestRecommendation;
beforeAll(async () => {
  subgraph = await createTestRecommendation();
});
afterAll(() => subgraph[Symbol.asyncDispose]());

type World = Awaited<ReturnType<typeof createTrainedWorld>>;

/** Puts a new version of a world on trial and waits until it answers some users; `spoil` may break its files before. */
async function openTrial(world: World, spoil: (id: ModelVersionId, key: string) => Promise<void> = async () => {}) {
  const { tenantId } = world;
  const version = await trainTestVersion(subgraph, tenantId);
  await spoil(version.id, version.manifest.artefact.key);
  await recommend(subgraph, world, {});
  const before = world.version.id;
  await withTenant(subgraph.db, tenantId, (tx) =>
    startCanary(tx, { versionId: version.id, controlId: before, settings: SETTINGS }),
  );
  await subgraph.announcePromotion(tenantId);
  const arms = new Map<string, CanaryArm>(
    world.board.userExternalIds.map((user) => [
      user,
      canaryArmOf({ tenantId, trialId: version.id, sharePercent: SETTINGS.sharePercent }, user),
    ]),
  );
  const userOn = (arm: CanaryArm) => [...arms].find(([, its]) => its === arm)?.[0] ?? '';
  return { version, arms, userOn };
}

async function countsOf({ tenantId }: World, versionId: ModelVersionId) {
  return withTenant(subgraph.db, tenantId, async (tx) =>
    (await countCanaries(tx, await findCanaries(tx, [versionId]))).get(versionId),
  );
}

const ask = (world: World, externalId: string) => recommend(subgraph, world, { user: { externalId } });

test('each user is answered by the version of their side, which the answer names, and both sides are counted', async () => {
  const world = await createTrainedWorld(subgraph);
  const bystander = await createTrainedWorld(subgraph);
  const { version, arms, userOn } = await openTrial(world);
  await vi.waitFor(async () => expect((await ask(world, userOn('CANARY'))).variant?.arm).toBe('CANARY'), 5_000);
  const before = await vi.waitFor(async () => {
    const counts = await countsOf(world, version.id);
    expect(counts?.CANARY.answerCount).toBeGreaterThan(0);
    return counts;
  }, 5_000);

  for (const [user, arm] of arms) {
    const { variant, modelVersion, attributionToken, edges, recommendationId } = await ask(world, user);
    expect(variant).toEqual({ arm, sharePercent: arm === 'CANARY' ? 30 : 70 });
    const versionId = arm === 'CANARY' ? version.id : world.version.id;
    expect(modelVersion?.id).toBe(encodeGlobalId('ModelVersion', versionId));
    const token = { tenantId: world.tenantId, token: attributionToken };
    const { hasItem, ...attribution } = verifyAttribution(INTERNAL_TOKEN_SECRET, token);
    expect(attribution).toMatchObject({ versionId, scenario: 'default', trial: { id: version.id, arm } });
    expect(attribution.recommendationId.replaceAll('-', '')).toBe(recommendationId.slice('rec_'.length));
    const shown = edges.map(({ node }) => world.board.itemIds.get(world.nameOf(node.id)));
    expect(shown.every((itemId) => itemId && hasItem(itemId))).toBe(true);
  }
  const canaryUsers = [...arms.values()].filter((arm) => arm === 'CANARY').length;
  await vi.waitFor(async () => {
    const counts = await countsOf(world, version.id);
    expect((counts?.CANARY.answerCount ?? 0) - (before?.CANARY.answerCount ?? 0)).toBe(canaryUsers);
    expect(counts?.CONTROL).toMatchObject({ answerCount: arms.size - canaryUsers, errorCount: 0 });
  }, 5_000);

  expect((await recommend(subgraph, world, {})).variant).toBeNull();
  const other = await ask(bystander, userOn('CANARY'));
  expect(other).toMatchObject({
    variant: null,
    modelVersion: { id: encodeGlobalId('ModelVersion', bystander.version.id) },
  });
});

test('a version on trial that is promoted answers everybody, from memory', async () => {
  const world = await createTrainedWorld(subgraph);
  const { version, userOn } = await openTrial(world);
  await vi.waitFor(async () => expect((await ask(world, userOn('CANARY'))).variant?.arm).toBe('CANARY'), 5_000);
  const loads = () => subgraph.logged.filter(({ msg }) => msg === 'A version is loaded').length;
  const loadCount = loads();
  await promote(subgraph.db, world.tenantId, version.id);
  await subgraph.announcePromotion(world.tenantId);
  const id = encodeGlobalId('ModelVersion', version.id);
  await vi.waitFor(async () => expect((await ask(world, userOn('CONTROL'))).modelVersion?.id).toBe(id), 5_000);
  expect(await ask(world, userOn('CANARY'))).toMatchObject({ variant: null, modelVersion: { id } });
  expect(loads()).toBe(loadCount);
});

test('a version whose trial ends answers nobody any more', async () => {
  const world = await createTrainedWorld(subgraph);
  const { version, userOn } = await openTrial(world);
  await vi.waitFor(async () => expect((await ask(world, userOn('CANARY'))).variant?.arm).toBe('CANARY'), 5_000);
  await withTenant(subgraph.db, world.tenantId, (tx) =>
    endCanary(tx, version.id, { status: 'ABORTED', reason: 'By the test.' }),
  );
  await subgraph.announcePromotion(world.tenantId);
  const modelVersion = { id: encodeGlobalId('ModelVersion', world.version.id) };
  await vi.waitFor(
    async () => expect(await ask(world, userOn('CANARY'))).toMatchObject({ variant: null, modelVersion }),
    5_000,
  );
});

test('a version on trial that cannot be loaded counts an error, and its users are answered by the version before', async () => {
  const world = await createTrainedWorld(subgraph);
  const { version, userOn } = await openTrial(world, (_id, key) => subgraph.objects.put(key, Buffer.from('spoilt')));
  await vi.waitFor(async () => {
    const answer = await ask(world, userOn('CANARY'));
    expect(answer).toMatchObject({
      variant: null,
      status: 'PERSONALIZED',
      modelVersion: { id: encodeGlobalId('ModelVersion', world.version.id) },
    });
    expect((await countsOf(world, version.id))?.CANARY).toMatchObject({ answerCount: 0 });
    expect((await countsOf(world, version.id))?.CANARY.errorCount).toBeGreaterThan(0);
  }, 8_000);
});
