import type { AccountId, InvitationId, TenantId } from '@kindred/domain/ids';
import type { MemberRole } from '@kindred/domain/viewer';
import { DatabaseError } from 'pg';
import type { Db } from './client.ts';
import { TakenError } from './taken-error.ts';
import type { TenantTx } from './tenants.ts';
import { translateDatabaseError } from './unstorable-text.ts';

export interface InvitationRow {
  id: InvitationId;
  role: MemberRole;
  createdAt: Date;
  expiresAt: Date;
  acceptedAt: Date | null;
  revokedAt: Date | null;
}

export async function createInvitation(
  tx: TenantTx,
  input: { id: InvitationId; role: MemberRole; digest: Uint8Array; expiresAt: Date },
): Promise<InvitationRow> {
  const data = { ...input, digest: new Uint8Array(input.digest), tenantId: tx.tenantId };
  const row = await tx.client.invitation.create({ data, omit: { digest: true, tenantId: true } });
  return row as InvitationRow;
}

/** The withdrawn invitation, or null when the tenant has none that is open. */
export async function revokeInvitation(tx: TenantTx, id: InvitationId): Promise<InvitationRow | null> {
  const { count } = await tx.client.invitation.updateMany({
    where: { tenantId: tx.tenantId, id, acceptedAt: null, revokedAt: null },
    data: { revokedAt: new Date() },
  });
  if (count === 0) return null;
  const where = { tenantId_id: { tenantId: tx.tenantId, id } };
  return (await tx.client.invitation.findUnique({ where, omit: { digest: true, tenantId: true } })) as InvitationRow;
}

/** Who takes an invitation: an account that is there, or one that is made for it. */
export interface Invitee {
  accountId: AccountId;
  newAccount: { email: string; displayName: string; passwordHash: string } | null;
}

export type Acceptance =
  | { outcome: 'JOINED'; tenantId: TenantId; role: MemberRole }
  | { outcome: 'MEMBER' | 'UNKNOWN' };

/**
 * Makes the invitee a member by the invitation of this digest, once.
 * @throws TakenError when the new account's e-mail address is in use.
 */
export async function acceptInvitation(db: Db, digest: Uint8Array, invitee: Invitee): Promise<Acceptance> {
  const { accountId, newAccount } = invitee;
  try {
    const { rows } = await db.pool.query<Acceptance>(
      'SELECT outcome, tenant_id AS "tenantId", role FROM auth_accept_invitation($1, $2, $3, $4, $5)',
      [digest, accountId, newAccount?.email, newAccount?.displayName, newAccount?.passwordHash],
    );
    return rows[0] ?? { outcome: 'UNKNOWN' };
  } catch (error) {
    if (error instanceof DatabaseError && error.constraint === 'accounts_email_key') {
      throw new TakenError('email', newAccount?.email ?? '');
    }
    throw translateDatabaseError(error);
  }
}
