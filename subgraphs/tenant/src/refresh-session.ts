import { refreshSession as exchange, type Refresh } from '@kindred/db/sessions';
import type { TenantServices } from './context.ts';
import type { RefreshSessionInput, UserError } from './generated/resolvers.ts';
import { digestRefreshToken, newRefreshToken } from './refresh-token.ts';
import { issueSession, type Session } from './session.ts';
import { userError } from './user-error.ts';

// Tabs of one browser, or a call that was repeated because its answer got lost, use a token twice within moments.
const GRACE_MS = 10_000;

/** The same session with new tokens, for a refresh token that was not used before. */
export async function refreshSession(
  services: TenantServices,
  { refreshToken }: RefreshSessionInput,
): Promise<{ session: Session | null; userErrors: UserError[] }> {
  const next = newRefreshToken();
  const refresh = await exchange(services.db, {
    usedDigest: digestRefreshToken(refreshToken),
    next,
    graceMs: GRACE_MS,
  });
  if (refresh.outcome === 'REFRESHED') {
    return { session: await issueSession(services, refresh, next), userErrors: [] };
  }
  return { session: null, userErrors: [refusal(refresh.outcome)] };
}

function refusal(outcome: Exclude<Refresh['outcome'], 'REFRESHED'>): UserError {
  const path = ['refreshToken'];
  if (outcome === 'JUST_USED') {
    const message = 'refreshToken must be unused, got one that another call used a moment ago: take its answer.';
    return userError('CONFLICT', message, path);
  }
  if (outcome === 'REUSED') {
    const message = 'refreshToken must be unused, got one that was used before: the session is ended. Sign in again.';
    return userError('INVALID', message, path);
  }
  const message = 'refreshToken must be of a session that is open, got an unknown or expired one: sign in again.';
  return userError('INVALID', message, path);
}
