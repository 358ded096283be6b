import type { AccountId, SessionId, TenantId } from '@kindred/domain/ids';
import type { MemberRole } from '@kindred/domain/viewer';
import type { Db } from './client.ts';
import type { TenantTx } from './tenants.ts';

/** A refresh token as it is kept: the SHA-256 of it. */
export interface NewRefreshToken {
  digest: Uint8Array;
  expiresAt: Date;
}

/** What became of a refresh token: REFRESHED names its session, the others say why there is no successor. */
export type Refresh =
  | { outcome: 'REFRESHED'; tenantId: TenantId; accountId: AccountId; sessionId: SessionId; role: MemberRole }
  | { outcome: 'UNKNOWN' | 'JUST_USED' | 'REUSED' };

/** Opens a session of a member, with its first refresh token; the member's sessions that are over are forgotten. */
export async function openSession(
  tx: TenantTx,
  session: { id: SessionId; accountId: AccountId; refreshToken: NewRefreshToken },
): Promise<void> {
  const { id, accountId, refreshToken } = session;
  await tx.client.session.deleteMany({
    where: {
      tenantId: tx.tenantId,
      accountId,
      refreshTokens: { every: { expiresAt: { lt: new Date() } } },
    },
  });
  await tx.client.session.create({ data: { tenantId: tx.tenantId, id, accountId } });
  const digest = new Uint8Array(refreshToken.digest);
  await tx.client.refreshToken.create({
    data: { tenantId: tx.tenantId, sessionId: id, digest, expiresAt: refreshToken.expiresAt },
  });
}

/**
 * Exchanges a refresh token for `next`, once. A second use within `graceMs` is refused; one after it is a theft, and ends
 * the session. Of calls at the same time the database lets exactly one succeed.
 */
export async function refreshSession(
  db: Db,
  exchange: { usedDigest: Uint8Array; next: NewRefreshToken; graceMs: number },
): Promise<Refresh> {
  const { usedDigest, next, graceMs } = exchange;
  const { rows } = await db.pool.query<Refresh>(
    `SELECT outcome, tenant_id AS "tenantId", account_id AS "accountId", session_id AS "sessionId", role
       FROM auth_refresh_session($1, $2, $3, $4 * interval '1 millisecond')`,
    [usedDigest, next.digest, next.expiresAt, graceMs],
  );
  return rows[0] ?? { outcome: 'UNKNOWN' };
}

/** Ends the session of a refresh token; whether there was one that had not ended. */
export async function endSession(db: Db, refreshTokenDigest: Uint8Array): Promise<boolean> {
  const { rows } = await db.pool.query<{ ended: number }>('SELECT auth_end_session($1) AS ended', [refreshTokenDigest]);
  return rows[0]?.ended === 1;
}

/** Ends every session of an account, in all its tenants; how many there were. */
export async function endSessions(db: Db, accountId: AccountId): Promise<number> {
  const { rows } = await db.pool.query<{ ended: number }>('SELECT auth_end_sessions($1) AS ended', [accountId]);
  return rows[0]?.ended ?? 0;
}
