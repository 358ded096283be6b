import { appendAuditEvent } from '@kindred/db/audit-log';
import {
  changeMemberRole as giveRole,
  findMember,
  type MemberRow,
  removeMember as endMembership,
} from '@kindred/db/members';
import { type TenantTx, withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import type { AccountId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import { actorOf } from './audit.ts';
import { checkGivenRole } from './check-given-role.ts';
import type { TenantContext } from './context.ts';
import type { ChangeMemberRoleInput, RemoveMemberInput, UserError } from './generated/resolvers.ts';
import { readId } from './read-id.ts';
import { userError } from './user-error.ts';

/** Gives a member of the viewer's tenant another role. */
export async function changeMemberRole(
  context: TenantContext,
  input: ChangeMemberRoleInput,
): Promise<{ member: MemberRow | null; userErrors: UserError[] }> {
  const given = checkGivenRole(context.viewer, input.role);
  if (given.role === null) return { member: null, userErrors: given.userErrors };
  const { role } = given;
  const changed = await changeMember(context, input.accountId, async (tx, id) => {
    const member = await giveRole(tx, id, role);
    const details = { accountId: input.accountId, role };
    await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'changeMemberRole', details });
    return member;
  });
  return 'code' in changed ? { member: null, userErrors: [changed] } : { member: changed.done, userErrors: [] };
}

/** Ends a membership of the viewer's tenant. */
export async function removeMember(
  context: TenantContext,
  { accountId }: RemoveMemberInput,
): Promise<{ removedAccountId: string | null; userErrors: UserError[] }> {
  const changed = await changeMember(context, accountId, async (tx, id) => {
    await endMembership(tx, id);
    await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'removeMember', details: { accountId } });
    return accountId;
  });
  return 'code' in changed
    ? { removedAccountId: null, userErrors: [changed] }
    : { removedAccountId: changed.done, userErrors: [] };
}

/** Runs `change` on a member, in one transaction, if there is one and the viewer is strong enough; else why not. */
async function changeMember<T>(
  { db, viewer }: TenantContext,
  globalId: string,
  change: (tx: TenantTx, id: AccountId) => Promise<T>,
): Promise<{ done: T } | UserError> {
  const id = readId('Account', { field: 'accountId', value: globalId });
  if (typeof id !== 'string') return id;
  try {
    return await withTenant(db, requireTenant(viewer), async (tx) => {
      const member = await findMember(tx, id);
      if (member === null) {
        const message = `accountId must be that of a member of this tenant, got "${globalId}".`;
        return userError('NOT_FOUND', message, ['accountId']);
      }
      if (member.role === 'OWNER' && !(viewer.kind === 'account' && viewer.role === 'OWNER')) {
        return userError('CONFLICT', 'Only an OWNER changes or removes an OWNER.', ['accountId']);
      }
      return { done: await change(tx, id) };
    });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'CONFLICT') throw error;
    return userError('CONFLICT', error.message, ['accountId']);
  }
}
