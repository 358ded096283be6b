import type { ApiKeyId, TenantId } from '@kindred/domain/ids';
import type { ApiKeyKind } from '@kindred/domain/viewer';
import type { Db } from './client.ts';
import type { TenantTx } from './tenants.ts';

export interface ApiKeyRow {
  tenantId: TenantId;
  id: ApiKeyId;
  name: string;
  kind: ApiKeyKind;
  preview: string;
  createdAt: Date;
  revokedAt: Date | null;
}

export async function createApiKey(
  tx: TenantTx,
  input: { id: ApiKeyId; name: string; kind: ApiKeyKind; preview: string; digest: Uint8Array },
): Promise<ApiKeyRow> {
  const row = await tx.client.apiKey.create({
    data: { ...input, digest: new Uint8Array(input.digest), tenantId: tx.tenantId },
    omit: { digest: true },
  });
  return row as ApiKeyRow;
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
  return rows as ApiKeyRow[];
}

/** The keys of `ids` that the tenant has, in no order. */
export async function findApiKeys(tx: TenantTx, ids: readonly ApiKeyId[]): Promise<ApiKeyRow[]> {
  const rows = await tx.client.apiKey.findMany({
    where: { tenantId: tx.tenantId, id: { in: [...ids] } },
    omit: { digest: true },
  });
  return rows as ApiKeyRow[];
}

/** The revoked key, or null when the tenant has none; revoking again keeps the first time. */
export async function revokeApiKey(tx: TenantTx, id: ApiKeyId): Promise<ApiKeyRow | null> {
  await tx.client.apiKey.updateMany({
    where: { tenantId: tx.tenantId, id, revokedAt: null },
    data: { revokedAt: new Date() },
  });
  const [key] = await findApiKeys(tx, [id]);
  return key ?? null;
}

/** The live key of this digest, whichever tenant's. */
export async function findApiKey(
  db: Db,
  digest: Uint8Array,
): Promise<{ tenantId: TenantId; apiKeyId: ApiKeyId; kind: ApiKeyKind } | null> {
  const { rows } = await db.pool.query<{ tenantId: TenantId; apiKeyId: ApiKeyId; kind: ApiKeyKind }>(
    'SELECT tenant_id AS "tenantId", api_key_id AS "apiKeyId", kind FROM auth_find_api_key($1)',
    [digest],
  );
  return rows[0] ?? null;
}
