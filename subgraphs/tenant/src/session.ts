import type { AccountId, TenantId } from '@kindred/domain/ids';
import { scopesOfRole, type Role } from '@kindred/domain/viewer';
import type { AccountViewer } from './access-tokens.ts';
import type { TenantServices } from './context.ts';

export interface Session {
  accessToken: string;
  expiresAt: Date;
  viewer: AccountViewer;
}

/** A session of an account that has proved who it is. */
export async function openSession(
  { accessTokens }: TenantServices,
  { accountId, tenantId, role }: { accountId: AccountId; tenantId: TenantId; role: Role },
): Promise<Session> {
  const viewer: AccountViewer = { kind: 'account', accountId, tenantId, role, scopes: scopesOfRole(role) };
  return { ...(await accessTokens.issue(viewer)), viewer };
}
