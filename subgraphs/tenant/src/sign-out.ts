import { endSession, endSessions } from '@kindred/db/sessions';
import { requireAccount } from '@kindred/service/guards';
import type { TenantContext } from './context.ts';
import type { SignOutInput, UserError } from './generated/resolvers.ts';
import { digestRefreshToken } from './refresh-token.ts';

interface SignedOut {
  endedSessionCount: number;
  userErrors: UserError[];
}

/**
 * Ends the session of a refresh token, or every session of the signed-in account. A session that is unknown or ended already
 * is no error.
 * @throws AppError UNAUTHENTICATED when every session is to end and nobody is signed in.
 */
export async function signOut({ db, viewer }: TenantContext, input: SignOutInput): Promise<SignedOut> {
  const { refreshToken, everywhere } = input;
  if (everywhere) return { endedSessionCount: await endSessions(db, requireAccount(viewer)), userErrors: [] };
  const ended = await endSession(db, digestRefreshToken(refreshToken));
  return { endedSessionCount: ended ? 1 : 0, userErrors: [] };
}
