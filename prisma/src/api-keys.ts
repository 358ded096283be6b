import { type ApiKeyId, encodeGlobalId, type TenantId } from '@kindred/domain/ids';
import type { ApiKeyKind, Scope } from '@kindred/domain/viewer';
import type { Db } from './client.ts';
import { TakenError } from './taken-error.ts';
import type { TenantTx } from './tenants.ts';
import { appendWebhookEvent } from './webhook-events.ts';

export interface ApiKeyRow {
  tenantId: TenantId;
  id: ApiKeyId;
  name: string;
  kind: ApiKeyKind;
  preview: string;
  scopes: readonly Scope[];
  /** The origins whose pages may use the key; empty: any. */
  allowedOrigins: readonly string[];
  createdAt: Date;
  expiresAt: Date | null;
  /** To the minute. */
  lastUsedAt: Date | null;
  revokedAt: Date | null;
  /** The key that this one was made to replace. */
  replacesId: ApiKeyId | null;
}

export type NewApiKey = Omit<ApiKeyRow, 'tenantId' | 'createdAt' | 'lastUsedAt' | 'revokedAt'> & { digest: Uint8Array };

export async function createApiKey(tx: TenantTx, input: NewApiKey): Promise<ApiKeyRow> {
  const row = await tx.client.apiKey.create({
    data: {
      ...input,
      scopes: [...input.scopes],
      allowedOrigins: [...input.allowedOrigins],
      digest: new Uint8Array(input.digest),
      tenantId: tx.tenantId,
    },
    omit: { digest: true },
  });
  const apiKey = row as typeof row & ApiKeyRow;
  await appendWebhookEvent(tx, 'api_key.created', describe(apiKey));
  return apiKey;
}

/**
 * Makes `successor` beside the live key `id`, which works until `endsAt` at the latest. Null when the tenant has no such
 * live key.
 * @throws TakenError when a live key replaces it already, or it replaces one that is still live; the transaction goes on.
 */
export async function rotateApiKey(
  tx: TenantTx,
  id: ApiKeyId,
  rotation: { endsAt: Date; successor: Pick<NewApiKey, 'id' | 'preview' | 'digest'> },
): Promise<ApiKeyRow | null> {
  const { endsAt, successor } = rotation;
  // Locked, so that rotations at the same time come one after the other.
  await tx.client
    .$queryRaw`SELECT FROM api_keys WHERE tenant_id = ${tx.tenantId}::uuid AND id = ${id}::uuid FOR UPDATE`;
  const now = new Date();
  const live = { tenantId: tx.tenantId, revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: now } }] };
  const [old] = await tx.client.apiKey.findMany({ where: { ...live, id }, omit: { digest: true } });
  if (old === undefined) return null;
  const other = await tx.client.apiKey.findFirst({
    where: { ...live, AND: { OR: [{ replacesId: id }, ...(old.replacesId === null ? [] : [{ id: old.replacesId }])] } },
    select: { preview: true },
  });
  if (other !== null) throw new TakenError('rotation', other.preview);
  // A successor that expired by itself gives its place up.
  await tx.client.apiKey.updateMany({
    where: { tenantId: tx.tenantId, replacesId: id, revokedAt: null },
    data: { revokedAt: now },
  });
  const end = old.expiresAt !== null && old.expiresAt < endsAt ? old.expiresAt : endsAt;
  await tx.client.apiKey.updateMany({ where: { tenantId: tx.tenantId, id }, data: { expiresAt: end } });
  const { name, kind, scopes, allowedOrigins, expiresAt } = old as typeof old & ApiKeyRow;
  return createApiKey(tx, { name, kind, scopes, allowedOrigins, expiresAt, ...successor, replacesId: id });
}

/** At most `first` keys, newest first, from after `afterId`. */
export async function listApiKeys(
  tx: TenantTx,
  page: { first: number; afterId?: ApiKeyId | null | undefined },
): Promise<ApiKeyRow[]> {
  const rows = await tx.client.apiKey.findMany({
    where: { tenantId: tx.tenantId, ...(page.afterId ? { id: { lt: page.afterId } } : {}) },
    orderBy: { id: 'desc' },
    take: page.first,
    omit: { digest: true },
  });
  return rows.map((row) => row as typeof row & ApiKeyRow);
}

/** The keys of `ids` that the tenant has, in no order. */
export async function findApiKeys(tx: TenantTx, ids: readonly ApiKeyId[]): Promise<ApiKeyRow[]> {
  const rows = await tx.client.apiKey.findMany({
    where: { tenantId: tx.tenantId, id: { in: [...ids] } },
    omit: { digest: true },
  });
  return rows.map((row) => row as typeof row & ApiKeyRow);
}

/** The revoked key, or null when the tenant has none; revoking again keeps the first time. */
export async function revokeApiKey(tx: TenantTx, id: ApiKeyId): Promise<ApiKeyRow | null> {
  const { count } = await tx.client.apiKey.updateMany({
    where: { tenantId: tx.tenantId, id, revokedAt: null },
    data: { revokedAt: new Date() },
  });
  const [key] = await findApiKeys(tx, [id]);
  if (key === undefined) return null;
  if (count === 1) await appendWebhookEvent(tx, 'api_key.revoked', describe(key));
  return key;
}

function describe({ id, name, kind }: ApiKeyRow): { apiKeyId: string; name: string; kind: string } {
  return { apiKeyId: encodeGlobalId('ApiKey', id), name, kind };
}

/** What a live key stands for. */
export interface KnownApiKey {
  tenantId: TenantId;
  apiKeyId: ApiKeyId;
  scopes: readonly Scope[];
  allowedOrigins: readonly string[];
  expiresAt: Date | null;
}

/** The live key of this digest, whichever tenant's; its last use is noted. */
export async function findApiKey(db: Db, digest: Uint8Array): Promise<KnownApiKey | null> {
  const { rows } = await db.pool.query<KnownApiKey>({
    name: 'find-api-key',
    text: `SELECT tenant_id AS "tenantId", api_key_id AS "apiKeyId", scopes, allowed_origins AS "allowedOrigins",
                  expires_at AS "expiresAt" FROM auth_find_api_key($1)`,
    values: [digest],
  });
  return rows[0] ?? null;
}
