import { type AccountId, encodeGlobalId, type InvitationId, newId, type TenantId } from '@kindred/domain/ids';
import type { MemberRole } from '@kindred/domain/viewer';
import type { WebhookEventData } from '@kindred/domain/webhook-events';
import { DatabaseError, type PoolClient } from 'pg';
import type { Db } from './client.ts';
import { TakenError } from './taken-error.ts';
import type { TenantTx } from './tenants.ts';
import { translateDatabaseError } from './translate-database-error.ts';

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
  return count === 0 ? null : findInvitation(tx, id);
}

/** The invitation of this id that the tenant has. */
export async function findInvitation(tx: TenantTx, id: InvitationId): Promise<InvitationRow | null> {
  const where = { tenantId_id: { tenantId: tx.tenantId, id } };
  const row = await tx.client.invitation.findUnique({ where, omit: { digest: true, tenantId: true } });
  return row as InvitationRow | null;
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
  const client = await db.pool.connect();
  try {
    await client.query('BEGIN');
    const { rows } = await client.query<Acceptance>(
      'SELECT outcome, tenant_id AS "tenantId", role FROM auth_accept_invitation($1, $2, $3, $4, $5)',
      [digest, accountId, newAccount?.email, newAccount?.displayName, newAccount?.passwordHash],
    );
    const acceptance = rows[0] ?? { outcome: 'UNKNOWN' };
    if (acceptance.outcome === 'JOINED') await tellWebhooks(client, accountId, acceptance);
    await client.query('COMMIT');
    return acceptance;
  } catch (error) {
    await client.query('ROLLBACK');
    if (error instanceof DatabaseError && error.constraint === 'accounts_email_key') {
      throw new TakenError('email', newAccount?.email ?? '');
    }
    throw translateDatabaseError(error);
  } finally {
    client.release();
  }
}

/** As `appendWebhookEvent`: who joins is in no tenant before, so that the transaction cannot be one of `withTenant`. */
async function tellWebhooks(
  client: PoolClient,
  accountId: AccountId,
  { tenantId, role }: { tenantId: TenantId; role: MemberRole },
): Promise<void> {
  const data: WebhookEventData['member.joined'] = { accountId: encodeGlobalId('Account', accountId), role };
  await client.query("SELECT set_config('app.tenant_id', $1, true)", [tenantId]);
  await client.query('SELECT webhook_event_append($1, $2, $3)', [newId('WebhookEvent'), 'member.joined', data]);
}
