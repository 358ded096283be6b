import { AppError } from '@kindred/domain/app-error';
import {
  encodeGlobalId,
  type ModelId,
  type ModelVersionId,
  type TenantId,
  type TrainingRunId,
} from '@kindred/domain/ids';
import {
  type IndexKind,
  type ModelVersionStatus,
  promotionTopic,
  type RankingMetrics,
  type VersionAlgorithm,
} from '@kindred/domain/training';
import { endCanary, findRunningCanary } from './canaries.ts';
import type { Db } from './client.ts';
import { Prisma } from './generated/client.ts';
import { appendOutbox } from './outbox.ts';
import { readAsTenant } from './read-as-tenant.ts';
import type { TenantTx } from './tenants.ts';
import { appendWebhookEvent } from './webhook-events.ts';

export interface IndexSummary {
  kind: IndexKind;
  factory: string | null;
  recallAt20: number;
}

export interface BaselineMetrics {
  name: string;
  metrics: RankingMetrics;
}

export interface ModelVersionRow {
  tenantId: TenantId;
  id: ModelVersionId;
  modelId: ModelId;
  runId: TrainingRunId;
  algorithm: VersionAlgorithm;
  number: number;
  status: ModelVersionStatus;
  metrics: RankingMetrics | null;
  baselines: BaselineMetrics[];
  indexSummary: IndexSummary | null;
  artefactKey: string;
  createdAt: Date;
  activatedAt: Date | null;
}

/** Another version answers than the one that a promotion was decided against. */
export class ActiveVersionChangedError extends Error {
  override readonly name = 'ActiveVersionChangedError';
}

/**
 * The run's version of this algorithm, created as BUILDING with the model's next number when the run has none yet.
 * @throws AppError NOT_FOUND when the tenant has no such run.
 */
export async function createModelVersion(
  tx: TenantTx,
  input: { id: ModelVersionId; runId: TrainingRunId; algorithm: VersionAlgorithm; artefactKey: string },
): Promise<ModelVersionRow> {
  const run = await tx.client.trainingRun.findUnique({
    where: { tenantId_id: { tenantId: tx.tenantId, id: input.runId } },
  });
  if (run === null) {
    throw new AppError('NOT_FOUND', `There is no training run ${input.runId}.`);
  }
  await lockModel(tx, run.modelId);
  await tx.client.$executeRaw`
    INSERT INTO model_versions (tenant_id, id, model_id, run_id, algorithm, number, artefact_key)
    SELECT ${tx.tenantId}::uuid, ${input.id}::uuid, ${run.modelId}::uuid, ${input.runId}::uuid,
           ${input.algorithm}::version_algorithm, coalesce(max(number), 0) + 1, ${input.artefactKey}
      FROM model_versions WHERE tenant_id = ${tx.tenantId}::uuid AND model_id = ${run.modelId}::uuid
    ON CONFLICT (tenant_id, run_id, algorithm) DO NOTHING`;
  const versions = await findVersionsByRuns(tx, [input.runId]);
  return getRow(
    versions.find(({ algorithm }) => algorithm === input.algorithm),
    input.id,
  );
}

/**
 * BUILDING becomes READY with its measurements and the manifest of the attempt that completes it; a version past that stays
 * as it is.
 * @throws AppError NOT_FOUND when the tenant has no such version; CONFLICT when its run was given up: what the run read may
 * hold somebody who was erased since.
 */
export async function completeModelVersion(
  tx: TenantTx,
  input: {
    versionId: ModelVersionId;
    metrics: RankingMetrics;
    baselines: readonly BaselineMetrics[];
    index: IndexSummary;
    /** Where its manifest is, if not where its creation said. */
    artefactKey?: string;
  },
): Promise<ModelVersionRow> {
  await requireGoodRun(tx, input.versionId);
  await tx.client.modelVersion.updateMany({
    where: { tenantId: tx.tenantId, id: input.versionId, status: 'BUILDING' },
    data: {
      status: 'READY',
      metrics: { ...input.metrics },
      baselines: input.baselines.map((baseline) => ({ name: baseline.name, metrics: { ...baseline.metrics } })),
      indexSummary: { ...input.index },
      ...(input.artefactKey === undefined ? {} : { artefactKey: input.artefactKey }),
    },
  });
  return getModelVersion(tx, input.versionId);
}

/**
 * Makes a READY or RETIRED version its model's ACTIVE one, retires the one before, and notes in the same transaction that
 * serving is to be told; promoting the ACTIVE one changes nothing. A canary under way ends: what it was compared with does not
 * answer any more.
 * @param eventType what webhooks are told of it.
 * @param input.expectedActiveId the version that has to be ACTIVE until then, null for none; absent where any may be.
 * @throws AppError NOT_FOUND when the tenant has no such version, CONFLICT while it is BUILDING.
 * @throws ActiveVersionChangedError when another than the expected one is ACTIVE.
 */
export async function promoteModelVersion(
  tx: TenantTx,
  { versionId, expectedActiveId }: { versionId: ModelVersionId; expectedActiveId?: ModelVersionId | null | undefined },
  eventType: 'model_version.promoted' | 'model_version.rolled_back' = 'model_version.promoted',
): Promise<ModelVersionRow> {
  await lockModel(tx, (await getModelVersion(tx, versionId)).modelId);
  const version = await getModelVersion(tx, versionId);
  if (version.status === 'BUILDING') {
    throw new AppError('CONFLICT', `Version ${version.number} of the model is still being built.`);
  }
  if (version.status === 'ACTIVE') {
    return version;
  }
  const [active] = await findActiveVersions(tx, [version.modelId]);
  if (expectedActiveId !== undefined && (active?.id ?? null) !== expectedActiveId) {
    throw new ActiveVersionChangedError(
      `Version ${version.number} was judged against ${expectedActiveId ?? 'nothing'}; now ${active?.id ?? 'nothing'} answers.`,
    );
  }
  await tx.client.modelVersion.updateMany({
    where: { tenantId: tx.tenantId, modelId: version.modelId, status: 'ACTIVE' },
    data: { status: 'RETIRED' },
  });
  // clock_timestamp(), not now(): of two promotions the one that waited for the lock is the later.
  await tx.client.$executeRaw`
    UPDATE model_versions SET status = 'ACTIVE', activated_at = clock_timestamp()
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${versionId}::uuid`;
  await endCanaryByPromotion(tx, version);
  await appendOutbox(tx, { topic: promotionTopic(tx.tenantId), message: { versionId } });
  await appendWebhookEvent(tx, eventType, {
    modelVersionId: encodeGlobalId('ModelVersion', versionId),
    modelId: encodeGlobalId('Model', version.modelId),
    number: version.number,
  });
  return getModelVersion(tx, versionId);
}

async function endCanaryByPromotion(tx: TenantTx, promoted: ModelVersionRow): Promise<void> {
  const canary = await findRunningCanary(tx);
  if (canary === null) {
    return;
  }
  const isOfCanary = canary.versionId === promoted.id;
  await endCanary(tx, canary.versionId, {
    status: isOfCanary ? 'PROMOTED' : 'ABORTED',
    reason: isOfCanary ? 'It was promoted before it was judged.' : `Version ${promoted.number} was promoted meanwhile.`,
  });
}

/** The version that answered before each model's ACTIVE one: the last of lower number that ever answered. In no order. */
export async function findPreviousVersions(tx: TenantTx, modelIds: readonly ModelId[]): Promise<ModelVersionRow[]> {
  const rows = await tx.client.$queryRaw<{ id: ModelVersionId }[]>`
    SELECT DISTINCT ON (previous.model_id) previous.id FROM model_versions active
      JOIN model_versions previous USING (tenant_id, model_id)
     WHERE tenant_id = ${tx.tenantId}::uuid AND active.model_id = ANY (${modelIds}::uuid[])
       AND active.status = 'ACTIVE' AND previous.status = 'RETIRED' AND previous.number < active.number
     ORDER BY previous.model_id, previous.number DESC`;
  return findModelVersions(
    tx,
    rows.map(({ id }) => id),
  );
}

/** Lets the version answer again that did before the ACTIVE one; null when there is none. */
export async function rollbackModel(tx: TenantTx, modelId: ModelId): Promise<ModelVersionRow | null> {
  await lockModel(tx, modelId);
  const [previous] = await findPreviousVersions(tx, [modelId]);
  return previous === undefined
    ? null
    : promoteModelVersion(tx, { versionId: previous.id }, 'model_version.rolled_back');
}

/** Forgets the versions of a run that were never completed, and says which they were, so that their files can go too. */
export async function deleteUnfinishedVersions(tx: TenantTx, runId: TrainingRunId): Promise<ModelVersionRow[]> {
  const unfinished = await findVersions(tx, { runId, status: 'BUILDING' });
  await tx.client.modelVersion.deleteMany({ where: { tenantId: tx.tenantId, runId, status: 'BUILDING' } });
  return unfinished;
}

/** The versions of `ids` that the tenant has, in no order. */
export async function findModelVersions(tx: TenantTx, ids: readonly ModelVersionId[]): Promise<ModelVersionRow[]> {
  return findVersions(tx, { id: { in: [...ids] } });
}

/** What `findModelVersions` finds, in a transaction of its own and one round trip. */
export async function readModelVersions(
  db: Db,
  tenantId: TenantId,
  ids: readonly ModelVersionId[],
): Promise<ModelVersionRow[]> {
  const statement = Prisma.sql`
    SELECT tenant_id AS "tenantId", id, model_id AS "modelId", run_id AS "runId", algorithm, number, status, metrics,
           baselines, index_summary AS "indexSummary", artefact_key AS "artefactKey", created_at AS "createdAt",
           activated_at AS "activatedAt"
      FROM model_versions WHERE tenant_id = ${tenantId}::uuid AND id = ANY (${[...ids]}::uuid[])`;
  return await readAsTenant<ModelVersionRow>(db, tenantId, { name: 'model-versions', statement, isPlannedOnce: true });
}

/** The versions that these runs made, in no order. */
export async function findVersionsByRuns(tx: TenantTx, runIds: readonly TrainingRunId[]): Promise<ModelVersionRow[]> {
  return findVersions(tx, { runId: { in: [...runIds] } });
}

/** The ACTIVE versions of these models, in no order. */
export async function findActiveVersions(tx: TenantTx, modelIds: readonly ModelId[]): Promise<ModelVersionRow[]> {
  return findVersions(tx, { modelId: { in: [...modelIds] }, status: 'ACTIVE' });
}

/** The version that answers the tenant's recommendations: of its models' ACTIVE ones the last promoted. */
export async function findServingVersion(tx: TenantTx): Promise<ModelVersionRow | null> {
  const row = await tx.client.modelVersion.findFirst({
    where: { tenantId: tx.tenantId, status: 'ACTIVE' },
    orderBy: [{ activatedAt: 'desc' }, { id: 'desc' }],
  });
  return row as (typeof row & ModelVersionRow) | null;
}

async function findVersions(tx: TenantTx, where: Prisma.ModelVersionWhereInput): Promise<ModelVersionRow[]> {
  const rows = await tx.client.modelVersion.findMany({ where: { ...where, tenantId: tx.tenantId } });
  return rows.map((row) => row as typeof row & ModelVersionRow);
}

async function getModelVersion(tx: TenantTx, id: ModelVersionId): Promise<ModelVersionRow> {
  const [version] = await findModelVersions(tx, [id]);
  return getRow(version, id);
}

function getRow(version: ModelVersionRow | undefined, id: ModelVersionId): ModelVersionRow {
  if (version === undefined) {
    throw new AppError('NOT_FOUND', `There is no model version ${id}.`);
  }
  return version;
}

/** Until the transaction ends the run of a BUILDING version is not given up. */
async function requireGoodRun(tx: TenantTx, versionId: ModelVersionId): Promise<void> {
  const { modelId, runId, status, number } = await getModelVersion(tx, versionId);
  if (status !== 'BUILDING') return;
  await lockModel(tx, modelId);
  const good = await tx.client.$queryRaw<unknown[]>`
    SELECT id FROM training_runs WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${runId}::uuid
       AND status NOT IN ('FAILED', 'CANCELLED') FOR SHARE`;
  if (good.length === 0) {
    throw new AppError('CONFLICT', `The training of version ${number} was ended before it was complete.`);
  }
}

/**
 * Lets a version's files be others that say the same without a user who was erased; false when its files have changed
 * since they were read. Serving is told by the same transaction.
 */
export async function replaceVersionFiles(
  tx: TenantTx,
  { versionId, from, to }: { versionId: ModelVersionId; from: string; to: string },
): Promise<boolean> {
  const replaced = await tx.client.modelVersion.updateMany({
    where: { tenantId: tx.tenantId, id: versionId, artefactKey: from },
    data: { artefactKey: to },
  });
  if (replaced.count > 0) await appendOutbox(tx, { topic: promotionTopic(tx.tenantId), message: { versionId } });
  return replaced.count > 0;
}

/** The tenant's whole versions: those that answer first, then the newest. */
export async function listWholeVersions(tx: TenantTx): Promise<ModelVersionRow[]> {
  const versions = await findVersions(tx, { status: { not: 'BUILDING' } });
  const rank = ({ status }: ModelVersionRow) => (status === 'ACTIVE' ? 0 : 1);
  return versions.toSorted((a, b) => rank(a) - rank(b) || b.number - a.number || (a.id < b.id ? -1 : 1));
}

/** Numbers and promotions of one model's versions take turns. */
async function lockModel(tx: TenantTx, modelId: string): Promise<void> {
  await tx.client.$queryRaw`
    SELECT id FROM models WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${modelId}::uuid FOR NO KEY UPDATE`;
}
