import { appendAuditEvent } from '@kindred/db/audit-log';
import { isOperator } from '@kindred/db/members';
import { withTenant } from '@kindred/db/tenants';
import { changePlan as writePlan } from '@kindred/db/usage';
import { AppError } from '@kindred/domain/app-error';
import { requireAccount } from '@kindred/service/guards';
import { checkText } from './check-text.ts';
import type { TenantContext } from './context.ts';
import type { ChangePlanInput, UserError } from './generated/resolvers.ts';
import { once } from './once.ts';
import { type NamedPlan, planOf } from './plans.ts';
import { readId } from './read-id.ts';
import { userError } from './user-error.ts';

/**
 * Gives a tenant another plan; its audit log tells by whom, why, and what it had.
 * @throws AppError FORBIDDEN for everybody but a platform operator
 */
export async function changePlan(
  { db, viewer }: TenantContext,
  input: ChangePlanInput,
): Promise<{ plan: NamedPlan | null; userErrors: UserError[] }> {
  const accountId = requireAccount(viewer);
  if (!(await isOperator(db, accountId))) throw new AppError('FORBIDDEN', 'Only a platform operator may ask this.');
  const { tenantId: globalId, plan } = input;
  const reason = input.reason.trim();
  const tenantId = readId('Tenant', { field: 'tenantId', value: globalId });
  const userErrors = checkText(reason, { field: 'reason', minChars: 10, maxChars: 500 });
  if (typeof tenantId !== 'string') return { plan: null, userErrors: [tenantId, ...userErrors] };
  if (userErrors.length > 0) return { plan: null, userErrors };
  const isChanged = await withTenant(db, tenantId, (tx) =>
    once(tx, { operation: 'changePlan', input }, async () => {
      const had = await writePlan(tx, plan);
      if (had === null) return false;
      const details = { from: had, to: plan, reason };
      await appendAuditEvent(tx, { actor: { kind: 'operator', id: accountId }, action: 'changePlan', details });
      return true;
    }),
  );
  if (isChanged) return { plan: planOf(plan), userErrors: [] };
  const message = `tenantId must be that of a tenant, got "${globalId}".`;
  return { plan: null, userErrors: [userError('NOT_FOUND', message, ['tenantId'])] };
}
