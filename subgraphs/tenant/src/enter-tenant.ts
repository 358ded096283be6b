import { appendAuditEvent } from '@kindred/db/audit-log';
import { findMember, isOperator } from '@kindred/db/members';
import { findTenants, withTenant } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import { newId } from '@kindred/domain/ids';
import { scopesOfRole } from '@kindred/domain/viewer';
import { requireAccount } from '@kindred/service/guards';
import type { AccountViewer } from './access-tokens.ts';
import { checkText } from './check-text.ts';
import type { TenantContext } from './context.ts';
import type { EnterTenantInput, SwitchTenantInput, UserError } from './generated/resolvers.ts';
import { readId } from './read-id.ts';
import { openSession, type Session } from './session.ts';
import { userError } from './user-error.ts';

/** Opens a session of the signed-in account in another of its tenants. A tenant it is no member of does not exist for it. */
export async function switchTenant(
  context: TenantContext,
  input: SwitchTenantInput,
): Promise<{ session: Session | null; userErrors: UserError[] }> {
  const accountId = requireAccount(context.viewer);
  const tenantId = readId('Tenant', { field: 'tenantId', value: input.tenantId });
  if (typeof tenantId !== 'string') return { session: null, userErrors: [tenantId] };
  const member = await withTenant(context.db, tenantId, (tx) => findMember(tx, accountId));
  if (member === null) return { session: null, userErrors: [noSuchTenant(input.tenantId)] };
  return { session: await openSession(context, { accountId, tenantId, role: member.role }), userErrors: [] };
}

interface Entered {
  accessToken: string | null;
  expiresAt: Date | null;
  userErrors: UserError[];
}

/**
 * Lets a platform operator read a tenant for 15 minutes. The tenant's audit log has it before the operator has the token.
 * @throws AppError FORBIDDEN for everybody else
 */
export async function enterTenant(context: TenantContext, input: EnterTenantInput): Promise<Entered> {
  const accountId = requireAccount(context.viewer);
  if (!(await isOperator(context.db, accountId)))
    throw new AppError('FORBIDDEN', 'Only a platform operator may ask this.');
  const reason = input.reason.trim();
  const tenantId = readId('Tenant', { field: 'tenantId', value: input.tenantId });
  const userErrors = [
    ...(typeof tenantId === 'string' ? [] : [tenantId]),
    ...checkText(reason, { field: 'reason', minChars: 10, maxChars: 500 }),
  ];
  if (typeof tenantId !== 'string' || userErrors.length > 0) return { accessToken: null, expiresAt: null, userErrors };
  const isThere = await withTenant(context.db, tenantId, async (tx) => {
    if ((await findTenants(tx, [tenantId])).length === 0) return false;
    await appendAuditEvent(tx, {
      actor: { kind: 'operator', id: accountId },
      action: 'enterTenant',
      details: { reason },
    });
    return true;
  });
  if (!isThere) return { accessToken: null, expiresAt: null, userErrors: [noSuchTenant(input.tenantId)] };
  const scopes = scopesOfRole('OPERATOR');
  const viewer: AccountViewer = { kind: 'account', accountId, tenantId, role: 'OPERATOR', scopes };
  return { ...(await context.accessTokens.issue(viewer, newId('Session'))), userErrors: [] };
}

function noSuchTenant(globalId: string): UserError {
  return userError('NOT_FOUND', `tenantId must be that of a tenant of this account, got "${globalId}".`, ['tenantId']);
}
