import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeGlobalId, type ModelVersionId } from '@kindred/domain/ids';
import { versionManifestKey } from '@kindred/domain/version-manifest';
import { expect, test } from 'vitest';
import {
  createTestRecommendation,
  createTrainedWorld,
  createWorld,
  recommend,
  type TestRecommendation,
  type World,
} from './test-recommendation.ts';
import { promote, type TestVersion, trainTestVersion } from './test-version.ts';

const INPUT = { user: { externalId: 'user-1' }, first: 3 };

async function servingId(subgraph: TestRecommendation, world: World): Promise<string | null> {
  return (await recommend(subgraph, world, INPUT)).modelVersion?.id ?? null;
}

function globalId(versionId: ModelVersionId): string {
  return encodeGlobalId('ModelVersion', versionId);
}

function loadCount({ logged }: TestRecommendation): number {
  return logged.filter(({ msg }) => msg === 'A version is loaded').length;
}

async function trainAndPromote(subgraph: TestRecommendation, { tenantId }: World): Promise<TestVersion> {
  const version = await trainTestVersion(subgraph, tenantId);
  await promote(subgraph.db, tenantId, version.id);
  return version;
}

async function metric({ url }: TestRecommendation, name: string): Promise<string | undefined> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return text.split('\n').find((line) => line.startsWith(name) && !line.startsWith('#'));
}

test('an announced promotion changes the answers of its tenant and of no other', async () => {
  await using subgraph = await createTestRecommendation();
  const [world, other] = [await createTrainedWorld(subgraph), await createTrainedWorld(subgraph)];
  expect(await servingId(subgraph, world)).toBe(globalId(world.version.id));
  expect(await servingId(subgraph, other)).toBe(globalId(other.version.id));
  const next = await trainAndPromote(subgraph, world);
  await Promise.all([1, 2, 3].map(() => subgraph.announcePromotion(world.tenantId)));
  await expect.poll(() => servingId(subgraph, world)).toBe(globalId(next.id));
  expect(await servingId(subgraph, other)).toBe(globalId(other.version.id));
  // Two first versions, and the new one once for all announcements.
  expect(loadCount(subgraph)).toBe(3);
});

test('a promotion that nobody announced is found after five seconds', async () => {
  await using subgraph = await createTestRecommendation();
  const [world, other] = [await createTrainedWorld(subgraph), await createTrainedWorld(subgraph)];
  await servingId(subgraph, other);
  expect(await servingId(subgraph, world)).toBe(globalId(world.version.id));
  const next = await trainAndPromote(subgraph, world);
  subgraph.passTime(3_000);
  expect(await servingId(subgraph, world)).toBe(globalId(world.version.id));
  subgraph.passTime(2_000);
  await expect.poll(() => servingId(subgraph, world)).toBe(globalId(next.id));
  expect(await servingId(subgraph, other)).toBe(globalId(other.version.id));
});

test('without Redis promotions are still found, and one line says that they are not heard', async () => {
  await using subgraph = await createTestRecommendation({ redisUrl: 'redis://127.0.0.1:1' });
  const [world, other] = [await createTrainedWorld(subgraph), await createTrainedWorld(subgraph)];
  await servingId(subgraph, other);
  expect(await servingId(subgraph, world)).toBe(globalId(world.version.id));
  const deaf = () => subgraph.logged.filter(({ msg }) => msg.startsWith('Promotions are not heard'));
  await expect.poll(deaf, { timeout: 10_000 }).toHaveLength(2);
  const next = await trainAndPromote(subgraph, world);
  subgraph.passTime(5_000);
  await expect.poll(() => servingId(subgraph, world)).toBe(globalId(next.id));
  expect(deaf()).toHaveLength(2);
});

test('a first version ends the fallback', async () => {
  await using subgraph = await createTestRecommendation();
  const [world, other] = [await createWorld(subgraph), await createWorld(subgraph)];
  expect(await recommend(subgraph, world, INPUT)).toMatchObject({ status: 'FALLBACK', modelVersion: null });
  expect((await recommend(subgraph, other, INPUT)).status).toBe('FALLBACK');
  const version = await trainAndPromote(subgraph, world);
  await subgraph.announcePromotion(world.tenantId);
  await expect.poll(() => servingId(subgraph, world)).toBe(globalId(version.id));
  expect((await recommend(subgraph, other, INPUT)).status).toBe('FALLBACK');
});

test('going back to the version before loads nothing', async () => {
  await using subgraph = await createTestRecommendation();
  const world = await createTrainedWorld(subgraph);
  await servingId(subgraph, world);
  const next = await trainAndPromote(subgraph, world);
  await subgraph.announcePromotion(world.tenantId);
  await expect.poll(() => servingId(subgraph, world)).toBe(globalId(next.id));
  expect(loadCount(subgraph)).toBe(2);
  await promote(subgraph.db, world.tenantId, world.version.id);
  await subgraph.announcePromotion(world.tenantId);
  await expect.poll(() => servingId(subgraph, world)).toBe(globalId(world.version.id));
  expect(loadCount(subgraph)).toBe(2);
});

test.each(['FAISS', 'EXACT'] as const)('a version with a %s index answers alike', async (kind) => {
  await using subgraph = await createTestRecommendation();
  const world = await createWorld(subgraph);
  const { id } = await trainTestVersion(subgraph, world.tenantId, { kind });
  await promote(subgraph.db, world.tenantId, id);
  const { edges } = await recommend(subgraph, world, INPUT);
  expect(world.nameOf(edges[0]?.node.id ?? '')).toBe(world.board.withheld.get('user-1'));
});

type Damage = (subgraph: TestRecommendation, world: World, version: TestVersion) => Promise<void>;

const pathOf = ({ folder }: TestRecommendation, key: string) => join(folder, key);

async function alter(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[Math.floor(bytes.length / 2)] = 1 + (bytes[Math.floor(bytes.length / 2)] ?? 0);
  await writeFile(path, bytes);
}

const DAMAGES: [string, Damage][] = [
  ['an altered artefact', (subgraph, _, { manifest }) => alter(pathOf(subgraph, manifest.artefact.key))],
  ['an altered index', (subgraph, _, { manifest }) => alter(pathOf(subgraph, manifest.index?.key ?? ''))],
  [
    'a truncated artefact',
    async (subgraph, _, { manifest }) => {
      const path = pathOf(subgraph, manifest.artefact.key);
      await writeFile(path, (await readFile(path)).subarray(0, -40));
    },
  ],
  ['no artefact', (subgraph, _, { manifest }) => rm(pathOf(subgraph, manifest.artefact.key))],
  ['no manifest', (subgraph, { tenantId }, { id }) => rm(pathOf(subgraph, versionManifestKey(tenantId, id)))],
  [
    "another version's manifest",
    async (subgraph, { tenantId }, { id }) => {
      const other = await createTrainedWorld(subgraph);
      const theirs = await subgraph.objects.get(versionManifestKey(other.tenantId, other.version.id));
      await subgraph.objects.put(versionManifestKey(tenantId, id), theirs);
    },
  ],
];

test.each(DAMAGES)('a version with %s is refused, logged and counted; the one before goes on', async (_, damage) => {
  await using subgraph = await createTestRecommendation();
  const world = await createTrainedWorld(subgraph);
  expect(await servingId(subgraph, world)).toBe(globalId(world.version.id));
  const next = await trainTestVersion(subgraph, world.tenantId);
  await damage(subgraph, world, next);
  await promote(subgraph.db, world.tenantId, next.id);
  await subgraph.announcePromotion(world.tenantId);
  const refusals = () => subgraph.logged.filter(({ level, versionId }) => level === 50 && versionId === next.id);
  await expect.poll(refusals).toHaveLength(1);
  subgraph.passTime(6_000);
  expect(await recommend(subgraph, world, INPUT)).toMatchObject({
    status: 'PERSONALIZED',
    modelVersion: { id: globalId(world.version.id) },
  });
  expect(await metric(subgraph, 'kindred_versions_refused_total')).toMatch(/ 1$/);
  expect(refusals()).toHaveLength(1);
});

test('a version that became whole is loaded at the next try; until then a tenant without another falls back', async () => {
  await using subgraph = await createTestRecommendation();
  const world = await createTrainedWorld(subgraph);
  const path = join(subgraph.folder, world.version.manifest.artefact.key);
  const bytes = await readFile(path);
  await rm(path);
  expect(await recommend(subgraph, world, INPUT)).toMatchObject({ status: 'FALLBACK', modelVersion: null });
  expect((await recommend(subgraph, world, INPUT)).edges).toHaveLength(3);
  await writeFile(path, bytes);
  subgraph.passTime(30_000);
  await expect.poll(() => servingId(subgraph, world)).toBe(globalId(world.version.id));
});

test('requests that come at once share one load', async () => {
  await using subgraph = await createTestRecommendation();
  const [world, other] = [await createTrainedWorld(subgraph), await createTrainedWorld(subgraph)];
  const asked = await Promise.all(Array.from({ length: 20 }, (_, n) => servingId(subgraph, n % 2 ? world : other)));
  expect(new Set(asked)).toEqual(new Set([globalId(world.version.id), globalId(other.version.id)]));
  expect(loadCount(subgraph)).toBe(2);
});

test.each([{ mostTenants: 1 }, { mostBytes: 1 }])(
  'within %j the tenant asked for longest ago makes room, and every answer is right under a crowd',
  async (bounds) => {
    await using subgraph = await createTestRecommendation(bounds);
    const worlds = [await createTrainedWorld(subgraph), await createTrainedWorld(subgraph)] as const;
    const [first, second] = worlds;
    await servingId(subgraph, first);
    await servingId(subgraph, first);
    expect(loadCount(subgraph)).toBe(1);
    await servingId(subgraph, second);
    expect(await metric(subgraph, 'kindred_serving_tenants')).toMatch(/ 1$/);
    await servingId(subgraph, first);
    expect(loadCount(subgraph)).toBe(3);
    const asked = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const world = n % 2 ? first : second;
        return (await servingId(subgraph, world)) === globalId(world.version.id);
      }),
    );
    expect(asked).toEqual(Array(40).fill(true));
  },
);

test('answers are counted by how they came about', async () => {
  await using subgraph = await createTestRecommendation();
  const world = await createTrainedWorld(subgraph);
  await recommend(subgraph, world, INPUT);
  await recommend(subgraph, world, {});
  await recommend(subgraph, await createWorld(subgraph), {});
  for (const status of ['PERSONALIZED', 'COLD_START', 'FALLBACK']) {
    expect(await metric(subgraph, `kindred_recommendations_total{status="${status}"`)).toMatch(/ 1$/);
  }
  expect(Number((await metric(subgraph, 'kindred_serving_bytes'))?.split(' ').at(-1))).toBeGreaterThan(1_000);
});
