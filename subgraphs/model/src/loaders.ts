import { type CatalogCounts, countCatalog } from '@kindred/db/catalog-counts';
import { type CanaryRow, countCanaries, findCanaries, findRunningCanary } from '@kindred/db/canaries';
import type { Db } from '@kindred/db/client';
import {
  findActiveVersions,
  findPreviousVersions,
  findVersionsByRuns,
  type ModelVersionRow,
  readModelVersions,
} from '@kindred/db/model-versions';
import { findJobs } from '@kindred/db/jobs';
import { type ModelRow, readModels } from '@kindred/db/models';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { countAhead } from '@kindred/db/training-admission';
import type { TrainingRunRow } from '@kindred/db/training-runs';
import type { ArmCounts, CanaryArm } from '@kindred/domain/canary';
import type {
  BatchRecommendationId,
  ModelId,
  ModelVersionId,
  TenantId,
  TrainingRunId,
  TuningId,
} from '@kindred/domain/ids';
import type { Viewer } from '@kindred/domain/viewer';
import { requireTenant } from '@kindred/service/guards';
import DataLoader from 'dataloader';
import type { RunReader } from './run-reader.ts';
import type { BatchRow } from './batches.ts';
import type { TuningRow } from './tunings.ts';

/** Per-request loaders: each batch is one transaction of the viewer's tenant, in which foreign rows do not exist. */
export interface Loaders {
  models: DataLoader<ModelId, ModelRow | null>;
  runs: DataLoader<TrainingRunId, TrainingRunRow | null>;
  tunings: DataLoader<TuningId, TuningRow | null>;
  batches: DataLoader<BatchRecommendationId, BatchRow | null>;
  versions: DataLoader<ModelVersionId, ModelVersionRow | null>;
  /** In the order of their numbers. */
  versionsByRun: DataLoader<TrainingRunId, ModelVersionRow[]>;
  activeVersions: DataLoader<ModelId, ModelVersionRow | null>;
  previousVersions: DataLoader<ModelId, ModelVersionRow | null>;
  /** How many runs of the tenant wait before it. */
  runsAhead: DataLoader<TrainingRunId, number>;
  canaries: DataLoader<ModelVersionId, CanaryRow | null>;
  canaryCounts: DataLoader<CanaryRow, Record<CanaryArm, ArmCounts> | null, ModelVersionId>;
  /** The one that is under way, of the viewer's tenant, whatever the key. */
  runningCanary: DataLoader<TenantId, CanaryRow | null>;
  /** Of the viewer's tenant, whatever the key; counted once. */
  catalogCounts: DataLoader<TenantId, CatalogCounts>;
}

export function createLoaders({ db, runReader }: { db: Db; runReader: RunReader }, viewer: Viewer): Loaders {
  const find =
    <Id, Row>(read: (tx: TenantTx, ids: readonly Id[]) => Promise<Row[]>) =>
    (ids: readonly Id[]) =>
      withTenant(db, requireTenant(viewer), (tx) => read(tx, ids));
  const readOwn =
    <Id, Row>(read: (from: Db, tenantId: TenantId, ids: readonly Id[]) => Promise<Row[]>) =>
    (ids: readonly Id[]) =>
      read(db, requireTenant(viewer), ids);
  return {
    models: loaderOf(readOwn(readModels), (model) => model.id),
    runs: loaderOf(
      async (ids: readonly TrainingRunId[]) => runReader.read(requireTenant(viewer), ids),
      (run) => run.id,
    ),
    tunings: loaderOf(find(findTunings), (tuning) => tuning.id),
    batches: loaderOf(find(findBatches), (batch) => batch.id),
    versions: loaderOf(readOwn(readModelVersions), (version) => version.id),
    versionsByRun: new DataLoader(async (runIds) => {
      const versions = await find(findVersionsByRuns)(runIds);
      const inOrder = versions.toSorted((a, b) => a.number - b.number);
      return runIds.map((runId) => inOrder.filter((version) => version.runId === runId));
    }),
    activeVersions: loaderOf(find(findActiveVersions), (version) => version.modelId),
    previousVersions: loaderOf(find(findPreviousVersions), (version) => version.modelId),
    runsAhead: new DataLoader(async (runIds) => {
      const ahead = await withTenant(db, requireTenant(viewer), (tx) => countAhead(tx, runIds));
      return runIds.map((runId) => ahead.get(runId) ?? 0);
    }),
    canaries: loaderOf(find(findCanaries), (canary) => canary.versionId),
    canaryCounts: new DataLoader(
      async (canaries) => {
        const counts = await withTenant(db, requireTenant(viewer), (tx) => countCanaries(tx, canaries));
        return canaries.map(({ versionId }) => counts.get(versionId) ?? null);
      },
      { cacheKeyFn: ({ versionId }) => versionId },
    ),
    runningCanary: new DataLoader(async (tenantIds) => {
      const canary = await withTenant(db, requireTenant(viewer), findRunningCanary);
      return tenantIds.map(() => canary);
    }),
    catalogCounts: new DataLoader(async (tenantIds) => {
      const counts = await withTenant(db, requireTenant(viewer), countCatalog);
      return tenantIds.map(() => counts);
    }),
  };
}

async function findTunings(tx: TenantTx, ids: readonly TuningId[]): Promise<TuningRow[]> {
  return (await findJobs(tx, 'TUNING', ids)) as TuningRow[];
}

async function findBatches(tx: TenantTx, ids: readonly BatchRecommendationId[]): Promise<BatchRow[]> {
  return (await findJobs(tx, 'BATCH_RECOMMENDATION', ids)) as BatchRow[];
}

/** Forgets what was read: a subscription's next event shows things as they are then. */
export function clearLoaders(loaders: Loaders): void {
  for (const loader of Object.values(loaders) as DataLoader<string, unknown>[]) {
    loader.clearAll();
  }
}

function loaderOf<Id extends string, Row>(
  find: (ids: readonly Id[]) => Promise<Row[]>,
  keyOf: (row: Row) => Id,
): DataLoader<Id, Row | null> {
  return new DataLoader(async (ids) => {
    const rows = new Map((await find(ids)).map((row) => [keyOf(row), row]));
    return ids.map((id) => rows.get(id) ?? null);
  });
}
