import type { ModelId, TenantId } from '@kindred/domain/ids';
import { AppError } from '@kindred/domain/app-error';
import type { CanarySettings } from '@kindred/domain/canary';
import type { Algorithm, HyperparameterSettings, TrainingSchedule } from '@kindred/domain/training';
import type { Db } from './client.ts';
import { Prisma } from './generated/client.ts';
import { readAsTenant } from './read-as-tenant.ts';
import { TakenError } from './taken-error.ts';
import type { TenantTx } from './tenants.ts';

export interface ModelRow {
  tenantId: TenantId;
  id: ModelId;
  name: string;
  algorithm: Algorithm;
  /** Only what somebody set. */
  settings: HyperparameterSettings;
  /** When it is trained without being asked; null for never. */
  schedule: TrainingSchedule | null;
  /** How its new versions come to answer; null for at once. */
  canary: CanarySettings | null;
  createdAt: Date;
}

/** @throws TakenError when the tenant has a model of this name; the transaction goes on. */
export async function createModel(
  tx: TenantTx,
  input: { id: ModelId; name: string; algorithm: Algorithm; settings: HyperparameterSettings },
): Promise<ModelRow> {
  const { count } = await tx.client.model.createMany({
    data: [{ ...input, settings: { ...input.settings }, tenantId: tx.tenantId }],
    skipDuplicates: true,
  });
  const [model] = count === 1 ? await findModels(tx, [input.id]) : [];
  if (model === undefined) {
    throw new TakenError('name', input.name);
  }
  return model;
}

/** The models of `ids` that the tenant has, in no order. */
export async function findModels(tx: TenantTx, ids: readonly ModelId[]): Promise<ModelRow[]> {
  const rows = await tx.client.model.findMany({ where: { tenantId: tx.tenantId, id: { in: [...ids] } } });
  return rows.map((row) => row as typeof row & ModelRow);
}

/** What `findModels` finds, in a transaction of its own and one round trip. */
export async function readModels(db: Db, tenantId: TenantId, ids: readonly ModelId[]): Promise<ModelRow[]> {
  const statement = Prisma.sql`
    SELECT tenant_id AS "tenantId", id, name, algorithm, settings, schedule, canary, created_at AS "createdAt"
      FROM models WHERE tenant_id = ${tenantId}::uuid AND id = ANY (${[...ids]}::uuid[])`;
  return await readAsTenant<ModelRow>(db, tenantId, { name: 'models', statement, isPlannedOnce: true });
}

/** At most `first` models, newest first, from after `afterId`. */
export async function listModels(
  tx: TenantTx,
  page: { first: number; afterId?: ModelId | null | undefined },
): Promise<ModelRow[]> {
  const rows = await tx.client.model.findMany({
    where: { tenantId: tx.tenantId, ...(page.afterId ? { id: { lt: page.afterId } } : {}) },
    orderBy: { id: 'desc' },
    take: page.first,
  });
  return rows.map((row) => row as typeof row & ModelRow);
}

/** Makes these the settings of a model, in place of those that it has. Whether the tenant has such a model. */
export async function setModelSettings(
  tx: TenantTx,
  { modelId, settings }: { modelId: ModelId; settings: HyperparameterSettings },
): Promise<boolean> {
  const { count } = await tx.client.model.updateMany({
    where: { tenantId: tx.tenantId, id: modelId },
    data: { settings: { ...settings } },
  });
  return count === 1;
}

/**
 * Says when a model is trained without being asked; null for never.
 * @throws AppError NOT_FOUND when the tenant has no such model.
 */
export async function setModelSchedule(
  tx: TenantTx,
  { modelId, schedule }: { modelId: ModelId; schedule: TrainingSchedule | null },
): Promise<void> {
  const json = schedule && JSON.stringify(schedule);
  const written = await tx.client.$executeRaw`
    UPDATE models SET schedule = ${json}::jsonb WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${modelId}::uuid`;
  if (written === 0) {
    throw new AppError('NOT_FOUND', `There is no model ${modelId}.`);
  }
}

/**
 * Says how a model's new versions come to answer; null for at once. A canary that is under way goes on as it began.
 * @throws AppError NOT_FOUND when the tenant has no such model.
 */
export async function setModelCanary(
  tx: TenantTx,
  { modelId, canary }: { modelId: ModelId; canary: CanarySettings | null },
): Promise<void> {
  const json = canary && JSON.stringify(canary);
  const written = await tx.client.$executeRaw`
    UPDATE models SET canary = ${json}::jsonb WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${modelId}::uuid`;
  if (written === 0) {
    throw new AppError('NOT_FOUND', `There is no model ${modelId}.`);
  }
}
