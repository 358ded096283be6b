import { AppError } from '@kindred/domain/app-error';
import { type AccountId, encodeGlobalId } from '@kindred/domain/ids';
import type { MemberRole } from '@kindred/domain/viewer';
import type { Db } from './client.ts';
import type { TenantTx } from './tenants.ts';
import { appendWebhookEvent } from './webhook-events.ts';

export interface MemberRow {
  accountId: AccountId;
  role: MemberRole;
  createdAt: Date;
}

/** At most `first` members by ascending account id from after `afterId`. */
export async function listMembers(
  tx: TenantTx,
  page: { first: number; afterId?: AccountId | null | undefined },
): Promise<MemberRow[]> {
  const rows = await tx.client.membership.findMany({
    where: { tenantId: tx.tenantId, ...(page.afterId ? { accountId: { gt: page.afterId } } : {}) },
    orderBy: { accountId: 'asc' },
    take: page.first,
    omit: { tenantId: true },
  });
  return rows as MemberRow[];
}

/** The member that an account is, if it is one. */
export async function findMember(tx: TenantTx, accountId: AccountId): Promise<MemberRow | null> {
  const row = await tx.client.membership.findUnique({
    where: { tenantId_accountId: { tenantId: tx.tenantId, accountId } },
    omit: { tenantId: true },
  });
  return row as MemberRow | null;
}

/**
 * Gives a member another role; null when the account is no member.
 * @throws AppError CONFLICT when the tenant would be left without an owner.
 */
export async function changeMemberRole(
  tx: TenantTx,
  accountId: AccountId,
  role: MemberRole,
): Promise<MemberRow | null> {
  const owners = await lockOwners(tx);
  if (role !== 'OWNER') refuseLastOwner(owners, accountId);
  const { count } = await tx.client.membership.updateMany({
    where: { tenantId: tx.tenantId, accountId, role: { not: role } },
    data: { role },
  });
  if (count === 1) {
    await appendWebhookEvent(tx, 'member.role_changed', { accountId: encodeGlobalId('Account', accountId), role });
  }
  return findMember(tx, accountId);
}

/**
 * Ends a membership, and the account's sessions in this tenant with it; whether there was one.
 * @throws AppError CONFLICT when the tenant would be left without an owner.
 */
export async function removeMember(tx: TenantTx, accountId: AccountId): Promise<boolean> {
  refuseLastOwner(await lockOwners(tx), accountId);
  const { count } = await tx.client.membership.deleteMany({ where: { tenantId: tx.tenantId, accountId } });
  if (count === 1) await appendWebhookEvent(tx, 'member.removed', { accountId: encodeGlobalId('Account', accountId) });
  return count === 1;
}

/** Whether the account is a platform operator. */
export async function isOperator(db: Db, accountId: AccountId): Promise<boolean> {
  const { rows } = await db.pool.query<{ yes: boolean }>('SELECT auth_is_operator($1) AS yes', [accountId]);
  return rows[0]?.yes === true;
}

/** Locked, so that of two owners who remove each other at once one is refused. */
async function lockOwners(tx: TenantTx): Promise<AccountId[]> {
  const rows = await tx.client.$queryRaw<{ id: AccountId }[]>`
    SELECT account_id AS id FROM memberships WHERE tenant_id = ${tx.tenantId}::uuid AND role = 'OWNER'
     ORDER BY account_id FOR UPDATE`;
  return rows.map(({ id }) => id);
}

function refuseLastOwner(owners: readonly AccountId[], accountId: AccountId): void {
  if (owners.length > 1 || !owners.includes(accountId)) return;
  throw new AppError('CONFLICT', 'A tenant keeps at least one OWNER, and this account is the last.');
}
