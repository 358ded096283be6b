import { findSignIn } from '@kindred/db/accounts';
import type { TenantContext } from './context.ts';
import { normaliseEmail } from './email.ts';
import type { SignInInput, UserError } from './generated/resolvers.ts';
import { openSession, type Session } from './session.ts';
import { userError } from './user-error.ts';

/**
 * A session for an e-mail address and its password. An unknown address and a wrong password differ in nothing, time included.
 * @throws AppError RATE_LIMITED, UNAVAILABLE as the throttle says
 */
export async function signIn(
  context: TenantContext,
  input: SignInInput,
): Promise<{ session: Session | null; userErrors: UserError[] }> {
  const email = normaliseEmail(input.email);
  const attempt = { email: email ?? input.email, clientAddress: context.clientAddress };
  await context.signInThrottle.countAttempt(attempt);
  const known = email === null ? null : await findSignIn(context.db, email);
  const fits = await context.passwords.verify(known?.passwordHash ?? null, input.password);
  if (known === null || !fits) {
    const message = 'email and password must be those of an account, got an unknown address or a wrong password.';
    return { session: null, userErrors: [userError('INVALID', message, ['password'])] };
  }
  await context.signInThrottle.forgive(attempt);
  return { session: await openSession(context, known), userErrors: [] };
}
