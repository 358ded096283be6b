import { newId, type TrainingRunId } from '@kindred/domain/ids';
import type { VersionAlgorithm } from '@kindred/domain/training';
import { createTestModel, createTestRun } from '@kindred/testing/test-model';
import { createTwoTenants } from '@kindred/testing/two-tenants';
import { describe, expect, test } from 'vitest';
import {
  ActiveVersionChangedError,
  completeModelVersion,
  createModelVersion,
  deleteUnfinishedVersions,
  findActiveVersions,
  findModelVersions,
  findPreviousVersions,
  findServingVersion,
  findVersionsByRuns,
  type ModelVersionRow,
  promoteModelVersion,
  readModelVersions,
  rollbackModel,
} from './model-versions.ts';
import type { ModelRow } from './models.ts';
import { findOutboxTenants, publishOutbox } from './outbox.ts';
import { type TenantTx, withTenant } from './tenants.ts';
import { finishTrainingRun } from './training-runs.ts';

const METRICS = { ndcgAt10: 0.4, recallAt10: 0.3, hitRateAt10: 0.6, coverageAt10: 0.5 };
const RESULT = {
  metrics: METRICS,
  baselines: [{ name: 'POPULARITY', metrics: { ...METRICS, ndcgAt10: 0.2 } }],
  index: { kind: 'FAISS' as const, factory: 'IVF64,Flat', recallAt20: 0.99 },
};

function createTestVersion(tx: TenantTx, runId: TrainingRunId, algorithm: VersionAlgorithm = 'LIGHTGCN') {
  return createModelVersion(tx, { id: newId('ModelVersion'), runId, algorithm, artefactKey: 'key' });
}

/** A version that is READY, of a run that has ended. */
async function createReadyVersion(tx: TenantTx, model: ModelRow): Promise<ModelVersionRow> {
  const run = await createTestRun(tx, model);
  const version = await createTestVersion(tx, run.id);
  await finishTrainingRun(tx, { runId: run.id, status: 'SUCCEEDED' });
  return completeModelVersion(tx, { versionId: version.id, ...RESULT });
}

describe('createModelVersion', () => {
  test('numbers the versions of a model and makes one per run and algorithm', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      const model = await createTestModel(tx);
      await createReadyVersion(tx, model);
      const run = await createTestRun(tx, model);
      const artefactKey = 'tenants/t/artefact';
      const input = { id: newId('ModelVersion'), runId: run.id, algorithm: 'LIGHTGCN' as const, artefactKey };
      const version = await createModelVersion(tx, input);
      expect(version).toMatchObject({
        id: input.id,
        modelId: model.id,
        algorithm: 'LIGHTGCN',
        number: 2,
        status: 'BUILDING',
        metrics: null,
        baselines: [],
        indexSummary: null,
        artefactKey: 'tenants/t/artefact',
        activatedAt: null,
      });
      expect(await createModelVersion(tx, { ...input, id: newId('ModelVersion'), artefactKey: 'other' })).toEqual(
        version,
      );
      expect(await findVersionsByRuns(tx, [run.id])).toEqual([version]);
    });
  });

  test('makes one more version of a run for the algorithm that needs no training', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      const run = await createTestRun(tx, await createTestModel(tx));
      const instant = await createTestVersion(tx, run.id, 'SPECTRAL');
      const trained = await createTestVersion(tx, run.id);
      expect([instant, trained]).toMatchObject([
        { algorithm: 'SPECTRAL', number: 1 },
        { algorithm: 'LIGHTGCN', number: 2 },
      ]);
      expect(await createTestVersion(tx, run.id, 'SPECTRAL')).toEqual(instant);
    });
  });

  test('makes one version when two attempts of an activity run together', async () => {
    await using world = await createTwoTenants();
    const { db, ours } = world;
    const run = await withTenant(db, ours.tenantId, async (tx) => createTestRun(tx, await createTestModel(tx)));
    const versions = await Promise.all(
      Array.from({ length: 8 }, () => withTenant(db, ours.tenantId, (tx) => createTestVersion(tx, run.id))),
    );
    expect(new Set(versions.map((version) => version.id)).size).toBe(1);
  });
});

describe('completeModelVersion', () => {
  test('stores the measurements, once', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      const version = await createReadyVersion(tx, await createTestModel(tx));
      expect(version).toMatchObject({
        status: 'READY',
        metrics: METRICS,
        baselines: RESULT.baselines,
        indexSummary: RESULT.index,
      });
      const again = { versionId: version.id, ...RESULT, metrics: { ...METRICS, ndcgAt10: 1 } };
      expect(await completeModelVersion(tx, again)).toEqual(version);
    });
  });
});

describe('promoteModelVersion', () => {
  test('activates a version, retires the one before, and goes back', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      const model = await createTestModel(tx);
      const [first, second] = [await createReadyVersion(tx, model), await createReadyVersion(tx, model)];
      expect(await findServingVersion(tx)).toBeNull();
      const active = await promoteModelVersion(tx, { versionId: first.id });
      expect(active).toMatchObject({ status: 'ACTIVE', activatedAt: expect.any(Date) as Date });
      expect(await promoteModelVersion(tx, { versionId: first.id })).toEqual(active);
      await promoteModelVersion(tx, { versionId: second.id });
      expect(await findModelVersions(tx, [first.id])).toEqual([expect.objectContaining({ status: 'RETIRED' })]);
      expect(await findServingVersion(tx)).toMatchObject({ id: second.id });
      await promoteModelVersion(tx, { versionId: first.id });
      expect(await findActiveVersions(tx, [model.id])).toEqual([expect.objectContaining({ id: first.id })]);
    });
  });

  test('leaves exactly one version active under concurrent promotions', async () => {
    await using world = await createTwoTenants();
    const { db, ours } = world;
    const { model, versions } = await withTenant(db, ours.tenantId, async (tx) => {
      const created = await createTestModel(tx);
      const ready: ModelVersionRow[] = [];
      for (let n = 0; n < 6; n += 1) {
        ready.push(await createReadyVersion(tx, created));
      }
      return { model: created, versions: ready };
    });
    await Promise.all(
      [...versions, ...versions].map(({ id }) =>
        withTenant(db, ours.tenantId, (tx) => promoteModelVersion(tx, { versionId: id })),
      ),
    );
    const active = await withTenant(db, ours.tenantId, (tx) => findActiveVersions(tx, [model.id]));
    expect(active).toHaveLength(1);
    const serving = await withTenant(db, ours.tenantId, findServingVersion);
    expect(serving).toEqual(active[0]);
  });

  test('refuses a version that is still being built', async () => {
    await using world = await createTwoTenants();
    const promoted = withTenant(world.db, world.ours.tenantId, async (tx) => {
      const run = await createTestRun(tx, await createTestModel(tx));
      const version = await createTestVersion(tx, run.id);
      return promoteModelVersion(tx, { versionId: version.id });
    });
    await expect(promoted).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});

describe('a promotion', () => {
  test('that was decided against another version than answers now is refused, and says nothing', async () => {
    await using world = await createTwoTenants();
    const { db, ours } = world;
    const [first, second, third] = await withTenant(db, ours.tenantId, async (tx) => {
      const model = await createTestModel(tx);
      return [
        await createReadyVersion(tx, model),
        await createReadyVersion(tx, model),
        await createReadyVersion(tx, model),
      ] as const;
    });
    const promote = (input: Parameters<typeof promoteModelVersion>[1]) =>
      withTenant(db, ours.tenantId, (tx) => promoteModelVersion(tx, input));
    await promote({ versionId: first.id, expectedActiveId: null });
    await expect(promote({ versionId: second.id, expectedActiveId: null })).rejects.toThrow(ActiveVersionChangedError);
    await promote({ versionId: second.id, expectedActiveId: first.id });
    await expect(promote({ versionId: third.id, expectedActiveId: first.id })).rejects.toThrow(/was judged against/);
    // An attempt that comes again behind its own success changes nothing.
    await promote({ versionId: second.id, expectedActiveId: first.id });
    expect(await withTenant(db, ours.tenantId, findServingVersion)).toMatchObject({ id: second.id });
    const said: string[] = [];
    await publishOutbox(db, ours.tenantId, async (topic, message) => void said.push(`${topic} ${message}`));
    expect(said).toEqual(
      [first, second].map(({ id }) => `tenant:${ours.tenantId}:promotion ${JSON.stringify({ versionId: id })}`),
    );
  });

  test('that is rolled back leaves nothing to say', async () => {
    await using world = await createTwoTenants();
    const { db, ours } = world;
    const failing = withTenant(db, ours.tenantId, async (tx) => {
      await promoteModelVersion(tx, { versionId: (await createReadyVersion(tx, await createTestModel(tx))).id });
      throw new Error('the database went away');
    });
    await expect(failing).rejects.toThrow('went away');
    expect(await findOutboxTenants(db, new Date(Date.now() + 60_000))).toEqual([]);
  });
});

describe('rollbackModel', () => {
  test('goes back one version after the other, past those that never answered, and not forward again', async () => {
    await using world = await createTwoTenants();
    await withTenant(world.db, world.ours.tenantId, async (tx) => {
      const model = await createTestModel(tx);
      const [first, second, neverAnswered, last] = [
        await createReadyVersion(tx, model),
        await createReadyVersion(tx, model),
        await createReadyVersion(tx, model),
        await createReadyVersion(tx, model),
      ];
      expect(await rollbackModel(tx, model.id)).toBeNull();
      for (const { id } of [first, second, last]) await promoteModelVersion(tx, { versionId: id });
      expect(await findPreviousVersions(tx, [model.id])).toMatchObject([{ id: second.id }]);
      expect(await rollbackModel(tx, model.id)).toMatchObject({ id: second.id, status: 'ACTIVE' });
      expect(await findServingVersion(tx)).toMatchObject({ id: second.id });
      expect(await rollbackModel(tx, model.id)).toMatchObject({ id: first.id });
      expect(await rollbackModel(tx, model.id)).toBeNull();
      expect(await findModelVersions(tx, [neverAnswered.id, last.id])).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ id: neverAnswered.id, status: 'READY' }),
          expect.objectContaining({ id: last.id, status: 'RETIRED' }),
        ]),
      );
    });
  });
});

test('what a run left half-made is forgotten, and what is whole stays', async () => {
  await using world = await createTwoTenants();
  await withTenant(world.db, world.ours.tenantId, async (tx) => {
    const run = await createTestRun(tx, await createTestModel(tx));
    const whole = await createTestVersion(tx, run.id, 'SPECTRAL');
    await completeModelVersion(tx, { versionId: whole.id, ...RESULT });
    const half = await createTestVersion(tx, run.id);
    expect(await deleteUnfinishedVersions(tx, run.id)).toEqual([half]);
    expect(await findVersionsByRuns(tx, [run.id])).toMatchObject([{ id: whole.id }]);
  });
});

test('the serving version is the last promoted one of all models', async () => {
  await using world = await createTwoTenants();
  const { db, ours } = world;
  const versions = await withTenant(db, ours.tenantId, async (tx) => [
    await createReadyVersion(tx, await createTestModel(tx, 'a')),
    await createReadyVersion(tx, await createTestModel(tx, 'b')),
  ]);
  for (const version of versions.toReversed()) {
    await withTenant(db, ours.tenantId, (tx) => promoteModelVersion(tx, { versionId: version.id }));
  }
  expect(await withTenant(db, ours.tenantId, findServingVersion)).toMatchObject({ id: versions[0]?.id });
});

test('another tenant neither finds nor changes a version', async () => {
  await using world = await createTwoTenants();
  const { db, ours, theirs } = world;
  const version = await withTenant(db, ours.tenantId, async (tx) => {
    const ready = await createReadyVersion(tx, await createTestModel(tx));
    return promoteModelVersion(tx, { versionId: ready.id });
  });
  const { id, runId, modelId } = version;
  await withTenant(db, theirs.tenantId, async (tx) => {
    expect(await findModelVersions(tx, [id])).toEqual([]);
    expect(await findVersionsByRuns(tx, [runId])).toEqual([]);
    expect(await findActiveVersions(tx, [modelId])).toEqual([]);
    expect(await findServingVersion(tx)).toBeNull();
    expect(await findPreviousVersions(tx, [modelId])).toEqual([]);
    expect(await rollbackModel(tx, modelId)).toBeNull();
    expect(await deleteUnfinishedVersions(tx, runId)).toEqual([]);
    const notFound = { code: 'NOT_FOUND' };
    await expect(promoteModelVersion(tx, { versionId: id })).rejects.toMatchObject(notFound);
    await expect(completeModelVersion(tx, { versionId: id, ...RESULT })).rejects.toMatchObject(notFound);
    await expect(createTestVersion(tx, runId)).rejects.toMatchObject(notFound);
  });
  expect(await withTenant(db, ours.tenantId, (tx) => findModelVersions(tx, [id]))).toEqual([version]);
});

describe('readModelVersions', () => {
  test('reads versions as they are found, for their tenant only', async () => {
    await using world = await createTwoTenants();
    const { db, ours, theirs } = world;
    const ids = await withTenant(db, ours.tenantId, async (tx) => {
      const model = await createTestModel(tx);
      const active = await createReadyVersion(tx, model);
      await promoteModelVersion(tx, { versionId: active.id });
      const building = await createTestVersion(tx, (await createTestRun(tx, model)).id);
      return [active.id, building.id];
    });
    const byNumber = (a: ModelVersionRow, b: ModelVersionRow) => a.number - b.number;
    const found = (await withTenant(db, ours.tenantId, (tx) => findModelVersions(tx, ids))).toSorted(byNumber);
    expect(found).toMatchObject([
      { status: 'ACTIVE', metrics: METRICS, indexSummary: RESULT.index },
      { status: 'BUILDING', metrics: null, indexSummary: null, activatedAt: null },
    ]);
    expect((await readModelVersions(db, ours.tenantId, ids)).toSorted(byNumber)).toEqual(found);
    expect(await readModelVersions(db, theirs.tenantId, ids)).toEqual([]);
  });
});
