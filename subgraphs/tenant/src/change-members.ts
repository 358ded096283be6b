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
import { once } from './once.ts';
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
  const { id, userErrors } = await changeMember(
    context,
    { operation: 'changeMemberRole', input },
    async (tx, member) => {
      await giveRole(tx, member, role);
      const details = { accountId: input.accountId, role };
      await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'changeMemberRole', details });
    },
  );
  if (id === null) return { member: null, userErrors };
  const member = await withTenant(context.db, requireTenant(context.viewer), (tx) => findMember(tx, id));
  return { member, userErrors };
}

/** Ends a membership of the viewer's tenant. */
export async function removeMember(
  context: TenantContext,
  input: RemoveMemberInput,
): Promise<{ removedAccountId: string | null; userErrors: UserError[] }> {
  const { accountId } = input;
  const { id, userErrors } = await changeMember(context, { operation: 'removeMember', input }, async (tx, member) => {
    await endMembership(tx, member);
    await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'removeMember', details: { accountId } });
  });
  return { removedAccountId: id === null ? null : accountId, userErrors };
}

interface Changed {
  id: AccountId | null;
  userErrors: UserError[];
}

/** Runs `change` on a member, in one transaction, if there is one and the viewer is strong enough; else why not. */
async function changeMember(
  { db, viewer }: TenantContext,
  call: { operation: string; input: { accountId: string; idempotencyKey?: string | null | undefined } },
  change: (tx: TenantTx, id: AccountId) => Promise<void>,
): Promise<Changed> {
  const { accountId: globalId } = call.input;
  const id = readId('Account', { field: 'accountId', value: globalId });
  if (typeof id !== 'string') return { id: null, userErrors: [id] };
  const changeOnce = async (tx: TenantTx): Promise<Changed> => {
    const member = await findMember(tx, id);
    if (member === null) {
      const message = `accountId must be that of a member of this tenant, got "${globalId}".`;
      return { id: null, userErrors: [userError('NOT_FOUND', message, ['accountId'])] };
    }
    if (member.role === 'OWNER' && !(viewer.kind === 'account' && viewer.role === 'OWNER')) {
      return {
        id: null,
        userErrors: [userError('CONFLICT', 'Only an OWNER changes or removes an OWNER.', ['accountId'])],
      };
    }
    await change(tx, id);
    return { id, userErrors: [] };
  };
  try {
    return await withTenant(db, requireTenant(viewer), (tx) => once(tx, call, () => changeOnce(tx)));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'CONFLICT') throw error;
    return { id: null, userErrors: [userError('CONFLICT', error.message, ['accountId'])] };
  }
}
