import { createHash, randomBytes } from 'node:crypto';
import { appendAuditEvent } from '@kindred/db/audit-log';
import {
  createInvitation,
  findInvitation,
  type InvitationRow,
  revokeInvitation as withdraw,
} from '@kindred/db/invitations';
import { withTenant } from '@kindred/db/tenants';
import { encodeGlobalId, type InvitationId, newId } from '@kindred/domain/ids';
import { requireTenant } from '@kindred/service/guards';
import { actorOf } from './audit.ts';
import { checkGivenRole } from './check-given-role.ts';
import type { TenantContext } from './context.ts';
import type { InviteMemberInput, RevokeInvitationInput, UserError } from './generated/resolvers.ts';
import { once } from './once.ts';
import { readId } from './read-id.ts';
import { userError } from './user-error.ts';

const MAX_HOURS = 720;

interface Invited {
  invitation: InvitationRow | null;
  token: string | null;
  userErrors: UserError[];
}

/** Creates an invitation to the viewer's tenant. Its token is in this answer alone: a repeated call gets the invitation without it. */
export async function inviteMember(context: TenantContext, input: InviteMemberInput): Promise<Invited> {
  const { role, validHours } = input;
  const given = checkGivenRole(context.viewer, role);
  const hours = `validHours must be 1-${MAX_HOURS}, got ${validHours}.`;
  const userErrors = [
    ...given.userErrors,
    ...(validHours >= 1 && validHours <= MAX_HOURS ? [] : [userError('INVALID', hours, ['validHours'])]),
  ];
  if (given.role === null || userErrors.length > 0) return { invitation: null, token: null, userErrors };
  const token = `ki_${randomBytes(32).toString('base64url')}`;
  const wanted = {
    id: newId('Invitation'),
    role: given.role,
    digest: digestInvitation(token),
    expiresAt: new Date(Date.now() + validHours * 3_600_000),
  };
  return withTenant(context.db, requireTenant(context.viewer), async (tx) => {
    const firstId = await once(tx, { operation: 'inviteMember', input }, async (): Promise<InvitationId> => {
      const details = { invitationId: encodeGlobalId('Invitation', wanted.id), role };
      await appendAuditEvent(tx, { actor: actorOf(context.viewer), action: 'inviteMember', details });
      await createInvitation(tx, wanted);
      return wanted.id;
    });
    const invitation = await findInvitation(tx, firstId);
    return { invitation, token: firstId === wanted.id ? token : null, userErrors: [] };
  });
}

/** Withdraws an invitation of the viewer's tenant. */
export async function revokeInvitation(
  context: TenantContext,
  input: RevokeInvitationInput,
): Promise<{ invitation: InvitationRow | null; userErrors: UserError[] }> {
  const { invitationId } = input;
  const id = readId('Invitation', { field: 'invitationId', value: invitationId });
  if (typeof id !== 'string') return { invitation: null, userErrors: [id] };
  const invitation = await withTenant(context.db, requireTenant(context.viewer), async (tx) => {
    const isWithdrawn = await once(tx, { operation: 'revokeInvitation', input }, async () => {
      if ((await withdraw(tx, id)) === null) return false;
      const event = { actor: actorOf(context.viewer), action: 'revokeInvitation', details: { invitationId } } as const;
      await appendAuditEvent(tx, event);
      return true;
    });
    return isWithdrawn ? findInvitation(tx, id) : null;
  });
  const message = `invitationId must be that of an open invitation of this tenant, got "${invitationId}".`;
  const missing = [userError('NOT_FOUND', message, ['invitationId'])];
  return { invitation, userErrors: invitation === null ? missing : [] };
}

/** What the database keeps instead of the token: SHA-256 (256 random bits need no slow hash). */
export function digestInvitation(token: string): Buffer<ArrayBuffer> {
  return createHash('sha256').update(token).digest();
}
