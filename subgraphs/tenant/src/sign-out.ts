import { endSession, endSessions } from '@kindred/db/sessions';
import { requireAccount } from '@kindred/service/guards';
import type { TenantContext } from './context.ts';
import type { SignOutInput, UserError } from './generated/resolvers.ts';
import { digestRefreshToken } from './refresh-token.ts';

interface SignedOut {
  endedSessionCount: number;
  userErrors: UserError[];
}

/** Ends the session of a refresh token. One that is unknown or ended already ends nothing, and is no error. */
export async function signOut({ db }: TenantContext, { refreshToken }: SignOutInput): Promise<SignedOut> {
  const ended = await endSession(db, digestRefreshToken(refreshToken));
  return { endedSessionCount: ended ? 1 : 0, userErrors: [] };
}

/** Ends every session of the signed-in account, this one included. */
export async function signOutEverywhere({ db, viewer }: TenantContext): Promise<SignedOut> {
  return { endedSessionCount: await endSessions(db, requireAccount(viewer)), userErrors: [] };
}
