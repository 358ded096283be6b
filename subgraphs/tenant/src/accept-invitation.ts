import { acceptInvitation as join, type Invitee } from '@kindred/db/invitations';
import { TakenError } from '@kindred/db/taken-error';
import { newId } from '@kindred/domain/ids';
import { checkText } from './check-text.ts';
import type { TenantContext } from './context.ts';
import { normaliseEmail } from './email.ts';
import type { AcceptInvitationInput, NewAccountInput, UserError } from './generated/resolvers.ts';
import { digestInvitation } from './invite-member.ts';
import { openSession, type Session } from './session.ts';
import { userError } from './user-error.ts';

interface Accepted {
  session: Session | null;
  userErrors: UserError[];
}

/** Makes the signed-in account, or a new one, a member of an invitation's tenant, and signs it in there. */
export async function acceptInvitation(context: TenantContext, input: AcceptInvitationInput): Promise<Accepted> {
  const invitee = await readInvitee(context, input.newAccount ?? null);
  if (Array.isArray(invitee)) return { session: null, userErrors: invitee };
  try {
    const accepted = await join(context.db, digestInvitation(input.token), invitee);
    if (accepted.outcome === 'JOINED') {
      const { tenantId, role } = accepted;
      const member = { accountId: invitee.accountId, tenantId, role };
      return { session: await openSession(context, member, 'acceptInvitation'), userErrors: [] };
    }
    return refuse(accepted.outcome === 'MEMBER' ? alreadyIn() : noSuchInvitation());
  } catch (error) {
    if (!(error instanceof TakenError)) throw error;
    const message = 'email must be new here, got one that has an account: sign in, then accept without newAccount.';
    return refuse(userError('TAKEN', message, ['newAccount', 'email']));
  }
}

async function readInvitee(
  { viewer, passwords }: TenantContext,
  newAccount: NewAccountInput | null,
): Promise<Invitee | UserError[]> {
  if (newAccount === null) {
    if (viewer.kind === 'account') return { accountId: viewer.accountId, newAccount: null };
    const message = 'newAccount must say who joins, or a signed-in account must ask; got neither.';
    return [userError('INVALID', message, ['newAccount'])];
  }
  const email = normaliseEmail(newAccount.email);
  const displayName = newAccount.displayName.trim();
  const wrong = [
    ...checkText(newAccount.password, { field: 'password', minChars: 12, maxChars: 200 }),
    ...checkText(displayName, { field: 'displayName', minChars: 1, maxChars: 80 }),
  ].map((error) => ({ ...error, path: ['newAccount', ...error.path] }));
  if (email === null) {
    const message = `email must be an e-mail address, got "${newAccount.email}".`;
    return [userError('INVALID', message, ['newAccount', 'email']), ...wrong];
  }
  if (wrong.length > 0) return wrong;
  const passwordHash = await passwords.hash(newAccount.password);
  return { accountId: newId('Account'), newAccount: { email, displayName, passwordHash } };
}

function noSuchInvitation(): UserError {
  const message = 'token must be of an open invitation, got one that is unknown, used, withdrawn or expired.';
  return userError('NOT_FOUND', message, ['token']);
}

function alreadyIn(): UserError {
  return userError('CONFLICT', 'token must be for a tenant that the account is no member of, got its own.', ['token']);
}

function refuse(error: UserError): Accepted {
  return { session: null, userErrors: [error] };
}
