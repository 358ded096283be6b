import type { AccountRow } from '@kindred/db/accounts';
import type { MemberRow } from '@kindred/db/members';
import type { TenantRow } from '@kindred/db/tenants';
import { AppError } from '@kindred/domain/app-error';
import type { Viewer } from '@kindred/domain/viewer';
import { requireTenant } from '@kindred/service/guards';
import type { TenantContext, TenantViewer } from './context.ts';

/** The viewer as the API shows it: null without a credential. */
export function identify(viewer: Viewer): TenantViewer | null {
  return viewer.kind === 'account' || viewer.kind === 'apiKey' ? viewer : null;
}

/** @throws AppError NOT_FOUND when the tenant was ended while its credential was still good. */
export async function findTenantOf(
  { tenantId }: Pick<TenantViewer, 'tenantId'>,
  { loaders }: TenantContext,
): Promise<TenantRow> {
  const tenant = await loaders.tenants.load({ tenantId, id: tenantId });
  if (tenant === null) throw new AppError('NOT_FOUND', 'The tenant of this credential is gone.');
  return tenant;
}

/** The signed-in account; null for an API key and for an account that has left the tenant. */
export async function findAccountOf(viewer: TenantViewer, { loaders }: TenantContext): Promise<AccountRow | null> {
  if (viewer.kind === 'apiKey') return null;
  return loaders.accounts.load({ tenantId: viewer.tenantId, id: viewer.accountId });
}

/** The account of a member of the viewer's tenant. @throws AppError NOT_FOUND when it has left since the page was read. */
export async function findMemberAccount(
  { accountId }: MemberRow,
  { viewer, loaders }: TenantContext,
): Promise<AccountRow> {
  const account = await loaders.accounts.load({ tenantId: requireTenant(viewer), id: accountId });
  if (account === null) throw new AppError('NOT_FOUND', 'This member has left the tenant.');
  return account;
}
