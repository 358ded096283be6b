import type { ErasureId, ModelId, TenantId, TrainingRunId, UserId } from '@kindred/domain/ids';
import type { JobId } from '@kindred/domain/jobs';
import type { TrainingEvent } from '@kindred/domain/training';
import { type AuditActor, appendAuditEvent } from './audit-log.ts';
import { endCanaryOfRun } from './canaries.ts';
import { appendReceiptLine, findReceiptProblem, listReceiptLines } from './erasure-receipts.ts';
import { fenceJobs } from './fence-jobs.ts';
import type { TenantTx } from './tenants.ts';
import { appendTrainingEvent } from './training-events.ts';
import { finishTrainingRun } from './training-runs.ts';
import { deleteUserRows } from './user-data.ts';
import { findUserByExternalId } from './users.ts';

/** A training whose snapshot held the user: it has ended, and its files have to go. */
export interface FencedRun {
  runId: TrainingRunId;
  modelId: ModelId;
  executionId: string | null;
}

/** What outside of the tables has to go with the user. */
export interface ErasureLeftovers {
  runs: FencedRun[];
  exportIds: string[];
  jobIds: JobId[];
  /** The models to be trained anew. */
  modelIds: ModelId[];
}

export interface ErasureRow {
  tenantId: TenantId;
  id: ErasureId;
  /** A keyed hash of the tenant's own id of the user. */
  subject: Uint8Array;
  /** The tenant's own id, until the erasure is sealed. */
  externalId: string | null;
  /** Null until the rows are erased, and where there were none. */
  userId: UserId | null;
  retrain: boolean;
  requestedBy: AuditActor;
  leftovers: ErasureLeftovers | null;
  requestedAt: Date;
  /** When nothing answered with the user any more. */
  goneAt: Date | null;
  sealedAt: Date | null;
  /** The hash of the last line of the receipt; null until it is sealed. */
  receiptHash: Uint8Array | null;
}

const FENCED = 'A user of the tenant was erased who was in the data of this training; it begins anew without the user.';

/** Notes that a user is to be forgotten. */
export async function createErasure(
  tx: TenantTx,
  input: { id: ErasureId; subject: Uint8Array; externalId: string; retrain: boolean; requestedBy: AuditActor },
): Promise<void> {
  const { id, externalId, retrain, requestedBy } = input;
  const subject = new Uint8Array(input.subject);
  await tx.client.erasure.create({
    data: { tenantId: tx.tenantId, id, subject, externalId, retrain, requestedBy: { ...requestedBy } },
  });
}

/** The erasures of `ids` that the tenant has, in no order. */
export async function findErasures(tx: TenantTx, ids: readonly ErasureId[]): Promise<ErasureRow[]> {
  const rows = await tx.client.erasure.findMany({ where: { tenantId: tx.tenantId, id: { in: [...ids] } } });
  return rows.map((row) => row as typeof row & ErasureRow);
}

/** An erasure of this user that was asked for and that no workflow has begun; null when there is none. */
export async function findWaitingErasure(
  tx: TenantTx,
  { subject, retrain }: { subject: Uint8Array; retrain: boolean },
): Promise<ErasureId | null> {
  const [waiting] = await tx.client.$queryRaw<{ id: ErasureId }[]>`
    SELECT id FROM erasures WHERE tenant_id = ${tx.tenantId}::uuid AND subject = ${new Uint8Array(subject)}
       AND retrain = ${retrain} AND leftovers IS NULL AND sealed_at IS NULL ORDER BY id LIMIT 1`;
  return waiting?.id ?? null;
}

/** At most `first` erasures, newest first, from after `afterId`. */
export async function listErasures(
  tx: TenantTx,
  page: { first: number; afterId?: ErasureId | null | undefined },
): Promise<ErasureRow[]> {
  const rows = await tx.client.erasure.findMany({
    where: { tenantId: tx.tenantId, ...(page.afterId ? { id: { lt: page.afterId } } : {}) },
    orderBy: { id: 'desc' },
    take: page.first,
  });
  return rows.map((row) => row as typeof row & ErasureRow);
}

/** @throws Error when the tenant has no such erasure. */
export async function getErasure(tx: TenantTx, id: ErasureId): Promise<ErasureRow> {
  const [erasure] = await findErasures(tx, [id]);
  if (erasure === undefined) throw new Error(`There is no erasure ${id}.`);
  return erasure;
}

/**
 * Deletes every row of the user, and ends the trainings whose data hold the user: from its commit on none of them can
 * publish anything. A repeat changes nothing.
 * @returns the last events of those trainings, to be told.
 */
export async function eraseUserRows(
  tx: TenantTx,
  erasureId: ErasureId,
): Promise<{ leftovers: ErasureLeftovers; events: TrainingEvent[] }> {
  await tx.client.$queryRaw`
    SELECT id FROM erasures WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${erasureId}::uuid FOR UPDATE`;
  const { externalId, leftovers: known, retrain } = await getErasure(tx, erasureId);
  if (known !== null) return { leftovers: known, events: [] };
  await holdTrainings(tx);
  const user = externalId === null ? null : await findUserByExternalId(tx, externalId);
  const exportIds = user === null ? [] : await listExportIds(tx, user.id);
  const deleted = user === null ? [] : await deleteUserRows(tx, user.id);
  const wasTrainedOn = deleted.some(({ table, rowCount }) => table === 'interactions' && rowCount > 0);
  const { runs, events } = wasTrainedOn ? await fenceTrainings(tx) : { runs: [], events: [] };
  const jobIds = user === null ? [] : await fenceJobs(tx, { wasTrainedOn });
  for (const { table, rowCount, evidence } of deleted) {
    await appendReceiptLine(tx, erasureId, { store: 'POSTGRES', scope: table, rowCount, evidence });
  }
  const wanted = retrain ? await listServingModelIds(tx) : [];
  const modelIds = [...new Set([...runs.map(({ modelId }) => modelId), ...wanted])];
  const leftovers: ErasureLeftovers = { runs, exportIds, jobIds, modelIds };
  const json = JSON.stringify(leftovers);
  await tx.client.$executeRaw`
    UPDATE erasures SET user_id = ${user?.id ?? null}::uuid, leftovers = ${json}::jsonb
     WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${erasureId}::uuid`;
  return { leftovers, events };
}

/** Notes since when nothing answers with the user; the first moment stays. */
export async function noteGone(tx: TenantTx, erasureId: ErasureId): Promise<void> {
  await tx.client.erasure.updateMany({
    where: { tenantId: tx.tenantId, id: erasureId, goneAt: null },
    data: { goneAt: new Date() },
  });
}

/** Closes the receipt, forgets who it was about, and tells its last hash in the audit log; once. */
export async function sealErasure(tx: TenantTx, erasureId: ErasureId): Promise<void> {
  const erasure = await getErasure(tx, erasureId);
  if (erasure.sealedAt !== null) return;
  const lines = await listReceiptLines(tx, erasureId);
  const problem = findReceiptProblem(erasure, lines);
  if (problem !== null) throw new Error(`The receipt of the erasure ${erasureId} is broken: ${problem}.`);
  const receiptHash = lines.at(-1)?.hash ?? new Uint8Array();
  const sealed = await tx.client.erasure.updateMany({
    where: { tenantId: tx.tenantId, id: erasureId, sealedAt: null },
    data: { sealedAt: new Date(), externalId: null, receiptHash: new Uint8Array(receiptHash) },
  });
  if (sealed.count === 0) return;
  const details = { erasureId, lineCount: lines.length, receiptHash: Buffer.from(receiptHash).toString('hex') };
  await appendAuditEvent(tx, { actor: erasure.requestedBy, action: 'sealErasure', details });
}

async function listExportIds(tx: TenantTx, userId: UserId): Promise<string[]> {
  const rows = await tx.client.userExport.findMany({ where: { tenantId: tx.tenantId, userId }, select: { id: true } });
  return rows.map(({ id }) => id);
}

/** Until the transaction ends no training begins, reads the interactions, or completes a version. */
async function holdTrainings(tx: TenantTx): Promise<void> {
  // Models first, as whoever completes or promotes a version: FOR UPDATE keeps new runs from pointing at them.
  await tx.client.$queryRaw`SELECT id FROM models WHERE tenant_id = ${tx.tenantId}::uuid ORDER BY id FOR UPDATE`;
  await tx.client.$queryRaw`
    SELECT id FROM training_runs WHERE tenant_id = ${tx.tenantId}::uuid AND status IN ('QUEUED', 'RUNNING')
     ORDER BY id FOR NO KEY UPDATE`;
}

/** Ends every training that has read the interactions, and the trial of its version. */
async function fenceTrainings(tx: TenantTx): Promise<{ runs: FencedRun[]; events: TrainingEvent[] }> {
  const runs = await tx.client.$queryRaw<FencedRun[]>`
    SELECT id AS "runId", model_id AS "modelId", execution_id AS "executionId" FROM training_runs
     WHERE tenant_id = ${tx.tenantId}::uuid AND status = 'RUNNING' AND phase IS NOT NULL AND phase <> 'PREFLIGHT'
     ORDER BY id`;
  const events: TrainingEvent[] = [];
  for (const { runId } of runs) {
    await finishTrainingRun(tx, { runId, status: 'CANCELLED' });
    await endCanaryOfRun(tx, runId, { status: 'ABORTED', reason: FENCED });
    const body = { kind: 'FINISHED', status: 'CANCELLED', message: FENCED } as const;
    const event = await appendTrainingEvent(tx, { runId, dedupeKey: 'finished', at: Date.now(), body });
    if (event !== null) events.push(event);
  }
  return { runs, events };
}

async function listServingModelIds(tx: TenantTx): Promise<ModelId[]> {
  const rows = await tx.client.modelVersion.findMany({
    where: { tenantId: tx.tenantId, status: 'ACTIVE' },
    select: { modelId: true },
    distinct: ['modelId'],
  });
  return rows.map(({ modelId }) => modelId as ModelId);
}
