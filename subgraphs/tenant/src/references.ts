import type { AccountRow } from '@kindred/db/accounts';
import type { ApiKeyRow } from '@kindred/db/api-keys';
import type { TenantRow } from '@kindred/db/tenants';
import { decodeGlobalId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import type { TenantContext } from './context.ts';

interface Reference {
  id: string;
}

// Every reference is looked up as the viewer's tenant: what is another's does not exist and resolves to null.
// All are async: a synchronous throw would leave the rejections of a request's other references unhandled, which ends
// the process.

export async function resolveTenant({ id }: Reference, { viewer, loaders }: TenantContext): Promise<TenantRow | null> {
  return loaders.tenants.load({ tenantId: requireTenant(viewer), id: decodeGlobalId('Tenant', id) });
}

export async function resolveAccount(
  { id }: Reference,
  { viewer, loaders }: TenantContext,
): Promise<AccountRow | null> {
  return loaders.accounts.load({ tenantId: requireTenant(viewer), id: decodeGlobalId('Account', id) });
}

export async function resolveApiKey({ id }: Reference, { viewer, loaders }: TenantContext): Promise<ApiKeyRow | null> {
  return loaders.apiKeys.load({ tenantId: requireTenant(viewer), id: decodeGlobalId('ApiKey', id) });
}
