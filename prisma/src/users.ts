import type { TenantId, UserId } from '@kindred/domain/ids';
import type { TenantTx } from './tenants.ts';

export interface UserRow {
  tenantId: TenantId;
  id: UserId;
  externalId: string;
  createdAt: Date;
}

/** The users of `ids` that the tenant has, in no order. */
export async function findUsers(tx: TenantTx, ids: readonly UserId[]): Promise<UserRow[]> {
  return (await tx.client.user.findMany({ where: { tenantId: tx.tenantId, id: { in: [...ids] } } })) as UserRow[];
}

export async function findUserByExternalId(tx: TenantTx, externalId: string): Promise<UserRow | null> {
  const row = await tx.client.user.findUnique({
    where: { tenantId_externalId: { tenantId: tx.tenantId, externalId } },
  });
  return row as UserRow | null;
}

/** The ids of those of these users that the tenant has, by the tenant's own ids. */
export async function findUserIds(tx: TenantTx, externalIds: readonly string[]): Promise<Map<string, UserId>> {
  const rows = await tx.client.user.findMany({
    where: { tenantId: tx.tenantId, externalId: { in: [...externalIds] } },
    select: { id: true, externalId: true },
  });
  return new Map(rows.map(({ id, externalId }) => [externalId, id as UserId]));
}

/** At most `first` users by ascending id from after `afterId`. */
export async function listUsers(
  tx: TenantTx,
  page: { first: number; afterId?: UserId | null | undefined },
): Promise<UserRow[]> {
  const rows = await tx.client.user.findMany({
    where: { tenantId: tx.tenantId, ...(page.afterId ? { id: { gt: page.afterId } } : {}) },
    orderBy: { id: 'asc' },
    take: page.first,
  });
  return rows as UserRow[];
}
