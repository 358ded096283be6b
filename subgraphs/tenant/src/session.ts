import { openSession as insertSession } from '@kindred/db/sessions';
import { withTenant } from '@kindred/db/tenants';
import { newId, type AccountId, type SessionId, type TenantId } from '@kindred/domain/ids';
import { scopesOfRole, type Role } from '@kindred/domain/viewer';
import type { AccountViewer } from './access-tokens.ts';
import type { TenantServices } from './context.ts';
import { newRefreshToken, type RefreshToken } from './refresh-token.ts';

export interface Session {
  accessToken: string;
  expiresAt: Date;
  refreshToken: string;
  refreshExpiresAt: Date;
  viewer: AccountViewer;
}

interface Member {
  accountId: AccountId;
  tenantId: TenantId;
  role: Role;
}

/** A new session of an account that has proved who it is. */
export async function openSession(services: TenantServices, member: Member): Promise<Session> {
  const id = newId('Session');
  const refreshToken = newRefreshToken();
  await withTenant(services.db, member.tenantId, (tx) =>
    insertSession(tx, { id, accountId: member.accountId, refreshToken }),
  );
  return issueSession(services, { ...member, sessionId: id }, refreshToken);
}

/** The tokens of a session that the database knows. */
export async function issueSession(
  { accessTokens }: TenantServices,
  { accountId, tenantId, role, sessionId }: Member & { sessionId: SessionId },
  { refreshToken, expiresAt: refreshExpiresAt }: RefreshToken,
): Promise<Session> {
  const viewer: AccountViewer = { kind: 'account', accountId, tenantId, role, scopes: scopesOfRole(role) };
  return { ...(await accessTokens.issue(viewer, sessionId)), refreshToken, refreshExpiresAt, viewer };
}
