import { appendAuditEvent } from '@kindred/db/audit-log';
import { openSession as insertSession } from '@kindred/db/sessions';
import { withTenant } from '@kindred/db/tenants';
import { encodeGlobalId, newId, type AccountId, type SessionId, type TenantId } from '@kindred/domain/ids';
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

/** A new session of an account that has proved who it is; the tenant's audit log tells by which `action`. */
export async function openSession(
  services: TenantServices,
  member: Member,
  action: 'openSession' | 'acceptInvitation' = 'openSession',
): Promise<Session> {
  const id = newId('Session');
  const refreshToken = newRefreshToken();
  const { accountId } = member;
  await withTenant(services.db, member.tenantId, async (tx) => {
    await insertSession(tx, { id, accountId, refreshToken });
    const details = { sessionId: encodeGlobalId('Session', id), role: member.role };
    await appendAuditEvent(tx, { actor: { kind: 'account', id: accountId }, action, details });
  });
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
